/**
 * A listener that can end well. Deno.serve's own shutdown breaks uploads in flight (denoland/deno
 * 36809, measured with Deno 2.9.6), so requests are counted, newcomers are sent away, and the
 * listener closes when the last request is answered.
 */
import type { App } from "./routes/door.ts";

/** What TLS needs, as PEM texts. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
}

/** Where to listen. */
export interface ServeOptions {
  readonly hostname: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Whether other processes may listen there too; the kernel deals connections out to them. */
  readonly reusePort?: boolean;
  /** Certificate chain and private key in PEM; plain HTTP without them. */
  readonly tls?: Tls;
  /** Told of an error that escaped from the app. */
  readonly escaped: (error: unknown) => void;
}

/** A listener. */
export interface Listener {
  /** With the real port, without a slash at the end. */
  readonly url: string;
  isDraining(): boolean;
  /** Answers what is under way, at most for so long, then breaks off the rest, and closes. */
  drain(milliseconds: number): Promise<void>;
}

/** Starts listening. Throws a sentence where the address is taken, or is none of this machine's. */
export function serve(app: App, options: ServeOptions): Listener {
  const { hostname, port, reusePort = false, tls, escaped } = options;
  let inFlight = 0;
  let draining = false;
  let idle = () => {};
  let drained: Promise<void> | undefined;
  const breakOff = new AbortController();
  // Also told of an answer whose body breaks off, which Deno would print in a form of its own.
  const onError = (error: unknown) => {
    escaped(error);
    return new Response("The gateway met an internal error.\n", { status: 500 });
  };
  const where = {
    hostname,
    port,
    reusePort,
    ...tls,
    signal: breakOff.signal,
    onListen() {},
    onError,
  };

  const answer: Deno.ServeHandler<Deno.NetAddr> = async (request, info) => {
    if (draining) return await sendAway(request);
    inFlight++;
    const done = () => {
      inFlight--;
      if (inFlight === 0) idle();
    };
    info.completed.then(done, done);
    return await app(request, { signal: request.signal, completed: info.completed });
  };
  const server = listen(where, answer);

  async function drain(milliseconds: number): Promise<void> {
    draining = true;
    if (inFlight > 0) {
      const empty = new Promise<void>((resolve) => (idle = resolve));
      const limit = new AbortController();
      await Promise.race([empty, delay(milliseconds, limit.signal)]);
      limit.abort();
    }
    // `shutdown` would wait for ever for an answer that does not end; the signal, which must not be
    // used after it, breaks every connection at once (both measured with Deno 2.9.6).
    if (inFlight > 0) breakOff.abort();
    else await server.shutdown();
    await server.finished;
  }

  return {
    url: `${tls ? "https" : "http"}://${
      hostname.includes(":") ? `[${hostname}]` : hostname
    }:${server.addr.port}`,
    isDraining: () => draining,
    drain: (milliseconds) => drained ??= drain(milliseconds),
  };
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
      `Cannot listen on ${at}: ${reason} (BATCHWAY_HOST, BATCHWAY_PORT, BATCHWAY_S3_PORT)`,
      { cause: error },
    );
  }
}

/** Deno 2.9.6 does not act on `connection: close` itself (measured): it is for the client. */
async function sendAway(request: Request): Promise<Response> {
  await request.body?.cancel();
  return new Response("The gateway is shutting down; send the request again.\n", {
    status: 503,
    headers: { "connection": "close", "retry-after": "1" },
  });
}

function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
