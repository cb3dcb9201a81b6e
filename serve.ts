/**
 * A listener that can end well. Deno.serve's own shutdown breaks uploads in flight (denoland/deno
 * 36809, measured with Deno 2.9.6), so requests are counted, newcomers are sent away, and the
 * listener closes when the last request is answered.
 */
import { inTime } from "./runtime/in_time.ts";
import { cancelUnread } from "./runtime/unread.ts";
import { createReserve } from "./descriptors.ts";
import type { App } from "./routes/entry.ts";

/** What TLS needs, as PEM texts. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads a certificate and its key. Throws a sentence that names the variable of the one that cannot
 * be read.
 */
export async function readTls(
  { certPath, keyPath }: { readonly certPath: string; readonly keyPath: string },
): Promise<Tls> {
  const read = (variable: string, path: string) =>
    Deno.readTextFile(path).catch((error: Error) => {
      throw new Error(`${variable}: ${path} cannot be read: ${error.message}`, { cause: error });
    });
  return {
    cert: await read("BATCHWAY_TLS_CERT", certPath),
    key: await read("BATCHWAY_TLS_KEY", keyPath),
  };
}

/** Where to listen, and listeners for what happens to it. */
export interface ServeOptions {
  readonly hostname: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Whether other processes may listen there too; the kernel deals connections out to them. */
  readonly reusePort?: boolean;
  /** Certificate chain and private key in PEM; plain HTTP without them. */
  readonly tls?: Tls;
  /** Called with an error that escaped from the app. */
  readonly escaped: (error: unknown) => void;
  /**
   * A folder or file that can be read, to hold file descriptors in reserve by; none where absent.
   */
  readonly reservePath?: string;
  /** Called where the listener has ended by itself, and where it listens again. */
  readonly warn?: (message: string, error?: unknown) => void;
  /** Called where the listener has ended for good. */
  readonly lost?: (error: Error) => void;
  /** How long listening again is tried, in milliseconds; a minute where absent. */
  readonly reopenMilliseconds?: number;
}

/** A port that is listened on. */
export interface Listener {
  /** With the real port, without a slash at the end. */
  readonly url: string;
  isDraining(): boolean;
  /** Answers what is under way, at most for so long, then breaks off the rest, and closes. */
  drain(milliseconds: number): Promise<void>;
}

/** Makes a server; `Deno.serve`, but for tests. */
export type Listen = (
  where: Deno.ServeTcpOptions & Partial<Tls>,
  answer: Deno.ServeHandler<Deno.NetAddr>,
) => Deno.HttpServer<Deno.NetAddr>;

/** A server and the connections that it took. */
interface Generation {
  readonly server: Deno.HttpServer<Deno.NetAddr>;
  readonly breakOff: AbortController;
  inFlight: number;
  /** It takes no connections any more, and is let go of once its requests are answered. */
  hasEnded: boolean;
}

const defaultReopenMilliseconds = 60_000;
/** Between two tries to listen again, in milliseconds. */
const reopenPause = 100;

/**
 * Starts listening. Throws a sentence where the address is taken, or is not one of this machine's.
 *
 * One connection that cannot be accepted, for want of a file descriptor, ends a server of Deno's for
 * good (2.9.6, measured), while the connections that it took go on. Some descriptors are held in
 * reserve, so that this happens while there are enough left for the requests under way; then idle
 * connections are closed, and it listens again.
 */
export function serve(app: App, options: ServeOptions, start: Listen = listen): Listener {
  const { hostname, reusePort = false, tls, escaped, warn = () => {} } = options;
  let draining = false;
  let idle = () => {};
  let drained: Promise<void> | undefined;
  const drainBegan = new AbortController();
  const reserve = createReserve(options.reservePath);
  /** Those that have connections; the last one listens. */
  const generations = new Set<Generation>();
  // Also for an answer whose body breaks off, which Deno would print in a form of its own.
  const onError = (error: unknown) => {
    escaped(error);
    return new Response("The gateway met an internal error.\n", { status: 500 });
  };
  const inFlight = () => [...generations].reduce((sum, one) => sum + one.inFlight, 0);

  function open(port: number): Generation {
    const breakOff = new AbortController();
    const where = {
      hostname,
      port,
      reusePort,
      ...tls,
      signal: breakOff.signal,
      onListen() {},
      onError,
    };
    const server = start(where, async (request, info) => {
      if (draining) return await sendAway(request);
      own.inFlight++;
      const done = () => {
        own.inFlight--;
        if (own.hasEnded) letGo(own);
        if (inFlight() === 0) idle();
      };
      info.completed.then(done, done);
      const { completed, remoteAddr: { hostname: peer } } = info;
      return await app(request, { signal: request.signal, completed, peer });
    });
    const own: Generation = { server, breakOff, inFlight: 0, hasEnded: false };
    generations.add(own);
    server.finished.catch((error: unknown) => reopen(own, error));
    return own;
  }

  /** Closes the idle connections of a server that has ended: their descriptors are needed. */
  function letGo(ended: Generation): void {
    if (ended.inFlight > 0) return;
    generations.delete(ended);
    // What it has to say was said by its end.
    ended.server.shutdown().catch(() => {});
  }

  async function reopen(ended: Generation, reason: unknown): Promise<void> {
    ended.hasEnded = true;
    if (draining) return;
    warn("The listener ended, and is opened again as soon as that can be", reason);
    reserve.release();
    letGo(ended);
    const until = performance.now() + (options.reopenMilliseconds ?? defaultReopenMilliseconds);
    for (;;) {
      await delay(reopenPause, drainBegan.signal);
      if (draining) return;
      try {
        reserve.fill();
        open(first.server.addr.port);
        return warn("The listener is open again");
      } catch (error) {
        reserve.release();
        if (performance.now() < until) continue;
        const message = "The listener ended, and could not be opened again";
        return options.lost?.(new Error(message, { cause: error }));
      }
    }
  }

  async function drain(milliseconds: number): Promise<void> {
    draining = true;
    drainBegan.abort();
    if (inFlight() > 0) {
      const empty = new Promise<void>((resolve) => (idle = resolve));
      await inTime(empty, milliseconds);
    }
    await Promise.all([...generations].map(end));
    reserve.release();
  }

  const first = open(options.port);
  reserve.fill();
  return {
    url: `${tls ? "https" : "http"}://${
      hostname.includes(":") ? `[${hostname}]` : hostname
    }:${first.server.addr.port}`,
    isDraining: () => draining,
    drain: (milliseconds) => drained ??= drain(milliseconds),
  };
}

/**
 * Ends a server. `shutdown` would wait for ever for an answer that does not end; the signal, which
 * must not be used after it, breaks every connection at once (both measured with Deno 2.9.6).
 */
async function end({ server, breakOff, inFlight }: Generation): Promise<void> {
  if (inFlight > 0) breakOff.abort();
  else await server.shutdown();
  // What one ended by was reported when it did.
  await server.finished.catch(() => {});
}

function listen(
  where: Deno.ServeTcpOptions & Partial<Tls>,
  answer: Deno.ServeHandler<Deno.NetAddr>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve(where, answer);
  } catch (error) {
    const reason = error instanceof Deno.errors.AddrInUse
      ? "another program listens there; end it, or choose another port"
      : where.cert !== undefined && !(error instanceof Deno.errors.AddrNotAvailable)
      ? "see that the certificate and the key are PEM and belong together, and that the port is yours"
      : "choose a host of this machine, and a port that this user may use";
    const at = `${where.hostname}:${where.port}`;
    throw new Error(
      `Cannot listen on ${at}: ${reason} (BATCHWAY_HOST, BATCHWAY_PORT, BATCHWAY_S3_PORT, BATCHWAY_ADMIN_PORT)`,
      { cause: error },
    );
  }
}

/** Deno 2.9.6 does not act on `connection: close` itself (measured): it is for the client. */
async function sendAway(request: Request): Promise<Response> {
  await cancelUnread(request.body);
  return new Response("The gateway is shutting down; send the request again.\n", {
    status: 503,
    headers: { "connection": "close", "retry-after": "1" },
  });
}

function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
