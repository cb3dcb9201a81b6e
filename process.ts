/** The life of the process around a service. */
import type { Log } from "./log.ts";

/** A service that runs already. */
export interface Service {
  /** Says that it serves. */
  readonly announce: () => void;
  readonly close: () => Promise<void>;
}

/**
 * Announces a service, waits for SIGINT or SIGTERM, then closes it. A second signal ends the process
 * at once.
 */
export async function runUntilSignal(log: Log, { announce, close }: Service): Promise<void> {
  // A stray rejection must not end every request under way.
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.warn("A promise was left rejected", { error: event.reason });
  });
  const signal = nextSignal();
  // Not earlier: whoever waits for it may send the signal at once.
  announce();
  await signal;
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
