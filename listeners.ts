/** The listeners of a gateway: those of its clients, and the one of its operators. */
import type { Config } from "./config/config.ts";
import type { Log } from "./log.ts";
import type { App } from "./routes/entry.ts";
import { type Listener, serve, type Tls } from "./serve.ts";

/** Dependencies of the listeners. */
export interface ListenersDeps {
  readonly config: Pick<Config, "host" | "reusePort">;
  readonly tls: { readonly tls: Tls } | undefined;
  readonly log: Log;
  /** A folder that can be read, to hold file descriptors in reserve by; none where absent. */
  readonly reservePath: string | undefined;
}

/** The listeners of a gateway. */
export interface Listeners {
  /** Listens for clients; returns the URL. */
  open(answer: App, port: number): string;
  /** Listens for operators, on a port that is not shared with other processes; returns the URL. */
  openAdmin(answer: App, port: number): string;
  /** Whether clients are sent away already. */
  isDraining(): boolean;
  /** Answers what is under way, and closes all. */
  drain(milliseconds: number): Promise<void>;
  /** Resolves where one of them has ended for good. */
  readonly lost: Promise<Error>;
}

/** Makes none yet. */
export function createListeners({ config, tls, log, reservePath }: ListenersDeps): Listeners {
  const lost = Promise.withResolvers<Error>();
  const ofClients: Listener[] = [];
  const ofOperators: Listener[] = [];
  const escaped = (error: unknown) => log.warn("An error escaped", { error });
  const listen = (answer: App, port: number, reusePort: boolean) => {
    const { host: hostname } = config;
    const warn = (message: string, error?: unknown) =>
      log.warn(message, { host: hostname, port, ...(error !== undefined && { error }) });
    const reserve = reservePath !== undefined && { reservePath };
    const reporting = { escaped, warn, lost: lost.resolve };
    return serve(answer, { hostname, port, reusePort, ...reporting, ...tls, ...reserve });
  };
  const open = (to: Listener[], listener: Listener) => {
    to.push(listener);
    return listener.url;
  };
  const drainAll = (all: readonly Listener[], milliseconds: number) =>
    Promise.all(all.map((one) => one.drain(milliseconds)));
  return {
    open: (answer, port) => open(ofClients, listen(answer, port, config.reusePort)),
    openAdmin: (answer, port) => open(ofOperators, listen(answer, port, false)),
    isDraining: () => ofClients.some((one) => one.isDraining()),
    async drain(milliseconds) {
      try {
        await drainAll(ofClients, milliseconds);
      } finally {
        // To the last it can be asked how far the others are.
        await drainAll(ofOperators, milliseconds);
      }
    },
    lost: lost.promise,
  };
}
