/** The life of the process around a service. */
import type { Log } from "./log.ts";

/** A service that runs already. */
export interface Service {
  /** Says that it serves. */
  readonly announce: () => void;
  /** Resolves where it cannot serve any more; never where absent. */
  readonly lost?: Promise<Error>;
  /** Resolves where it is to end as by a signal; never where absent. */
  readonly ended?: Promise<void>;
  readonly close: () => Promise<void>;
  /** Reads the configuration again. Where it throws, the one before stays. */
  readonly reload?: () => Promise<void>;
}

/**
 * Announces a service, waits for SIGINT or SIGTERM, then closes it. A second signal ends the process
 * at once; SIGHUP never ends it, but has the configuration read again. Throws, once it is closed,
 * where the service could not serve any more.
 *
 * @param hangUps The listener of a program that has one already; it goes on listening.
 */
export async function runUntilSignal(
  log: Log,
  service: Service,
  hangUps?: HangUps,
): Promise<void> {
  const { announce, close, lost, ended } = service;
  // A stray rejection must not end every request under way.
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.warn("A promise was left rejected", { error: event.reason });
  });
  const signal = nextSignal();
  const heard = hangUps ?? hearHangUps();
  heard.act = reloading(log, service.reload);
  // Not earlier: a process that waits for it may send the signal at once.
  announce();
  const ends = [signal.heard, lost, ended].filter((one) => one !== undefined);
  const reason = (await Promise.race<Error | void>(ends)) ?? undefined;
  signal.ignore();
  if (reason) log.warn("The gateway cannot serve any more, and ends", { error: reason });
  else log.info("Shutting down: requests under way are answered first");
  const second = nextSignal();
  await Promise.race([close(), second.heard.then(() => Deno.exit(130))]);
  second.ignore();
  heard.act = () => {};
  if (!hangUps) heard.stop();
  if (reason) throw reason;
}

/** A listener of SIGHUP. */
export interface HangUps {
  /** What each one does; nothing at first. */
  act: () => void;
  /** Stops listening: SIGHUP ends the process then. */
  readonly stop: () => void;
}

/**
 * Keeps SIGHUP from ending the process from now on. A process has one of these, until its exit: a
 * SIGHUP that comes at the moment at which a listener is added beside another, or taken away, ends it
 * (Deno 2.9.6, measured).
 */
export function hearHangUps(): HangUps {
  const hear = () => heard.act();
  const heard: HangUps = {
    act() {},
    stop: () => Deno.removeSignalListener("SIGHUP", hear),
  };
  Deno.addSignalListener("SIGHUP", hear);
  return heard;
}

/** Makes what reloads at each SIGHUP, one after the other. */
function reloading(log: Log, reload: Service["reload"]): () => void {
  let last = Promise.resolve();
  const once = async () => {
    try {
      if (reload) await reload();
      else log.info("SIGHUP changes nothing here: this program reads its configuration once");
    } catch (error) {
      const message = "The configuration was not taken over; the one before stays";
      log.warn(message, { reason: error instanceof Error ? error.message : String(error) });
    }
  };
  return () => {
    last = last.then(once);
  };
}

/** The next signal that is to end the process. */
function nextSignal(): { readonly heard: Promise<void>; readonly ignore: () => void } {
  const signals: Deno.Signal[] = ["SIGINT", "SIGTERM"];
  const { promise, resolve } = Promise.withResolvers<void>();
  const ignore = () => {
    for (const signal of signals) Deno.removeSignalListener(signal, hear);
  };
  const hear = () => {
    ignore();
    resolve();
  };
  for (const signal of signals) Deno.addSignalListener(signal, hear);
  return { heard: promise, ignore };
}

/** Takes all steps, one after the other, also where one fails; throws what the first failed with. */
export async function inOrder(steps: readonly (() => unknown)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
