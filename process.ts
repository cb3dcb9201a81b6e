/** The life of the process around a service. */
import type { Log } from "./log.ts";

/** Waits for SIGINT or SIGTERM, then closes what runs. A second signal ends the process at once. */
export async function runUntilSignal(log: Log, close: () => Promise<void>): Promise<void> {
  // A stray rejection must not end every request under way.
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.warn("A promise was left rejected", { error: event.reason });
  });
  await nextSignal();
  log.info("Shutting down: requests under way are answered first");
  const second = nextSignal().then(() => Deno.exit(130));
  await Promise.race([close(), second]);
}

function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    const signals: Deno.Signal[] = ["SIGINT", "SIGTERM"];
    const heard = () => {
      for (const signal of signals) Deno.removeSignalListener(signal, heard);
      resolve();
    };
    for (const signal of signals) Deno.addSignalListener(signal, heard);
  });
}
