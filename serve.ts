/**
 * A listener that can end well. Deno.serve's own shutdown breaks uploads in flight (denoland/deno
 * 36809, measured with Deno 2.9.6), so requests are counted, newcomers are sent away, and the
 * listener closes when the last request is answered.
 */
import type { App } from "./routes/app.ts";

/** Where to listen. */
export interface ServeOptions {
  readonly hostname: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Told of an error that escaped from the app. */
  readonly escaped: (error: unknown) => void;
}

/** A listener. */
export interface Listener {
  /** With the real port, without a slash at the end. */
  readonly url: string;
  isDraining(): boolean;
  /** Answers what is under way, at most for so long, and closes. */
  drain(milliseconds: number): Promise<void>;
}

/** Starts listening. Throws where the address is taken. */
export function serve(app: App, { hostname, port, escaped }: ServeOptions): Listener {
  let inFlight = 0;
  let draining = false;
  let idle = () => {};

  const server = Deno.serve({ hostname, port, onListen() {} }, async (request, info) => {
    if (draining) return await sendAway(request);
    inFlight++;
    const done = () => {
      inFlight--;
      if (inFlight === 0) idle();
    };
    info.completed.then(done, done);
    try {
      return await app(request, request.signal);
    } catch (error) {
      escaped(error);
      return new Response("The gateway met an internal error.\n", { status: 500 });
    }
  });

  return {
    url: `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${server.addr.port}`,
    isDraining: () => draining,
    async drain(milliseconds) {
      draining = true;
      if (inFlight > 0) {
        const empty = new Promise<void>((resolve) => (idle = resolve));
        const limit = new AbortController();
        await Promise.race([empty, delay(milliseconds, limit.signal)]);
        limit.abort();
      }
      await server.shutdown();
    },
  };
}

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
