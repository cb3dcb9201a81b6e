/** What stands between a gateway and its catalog's server, and hinders commits as a test says. */
import type { DenokvServer } from "../denokv.ts";

/** A way to a server. */
export interface HinderedServer extends AsyncDisposable {
  /** What a gateway must be told to go this way. */
  readonly environment: Readonly<Record<string, string>>;
  /** Commits that were asked for so far, repeated ones too. */
  commits(): number;
  /** From now on a commit is carried out only once this is done. */
  hold(until: Promise<void> | undefined): void;
  /** From now on every so many commits are carried out and their answers lost; the client repeats. */
  loseEvery(commits: number): void;
}

/** Opens a way to a server. */
export function hinder(server: DenokvServer): HinderedServer {
  let commits = 0;
  let held: Promise<void> | undefined;
  let lossy = Infinity;
  const proxy = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const body = await request.bytes();
    const isCommit = pathname.endsWith("/atomic_write");
    const isLost = isCommit && ++commits % lossy === 0;
    if (isCommit) await held;
    const answer = await fetch(`${server.url}${pathname}`, {
      method: request.method,
      headers: request.headers,
      body,
    });
    const { status, headers } = answer;
    const bytes = await answer.bytes();
    // Deno's client takes this for a connection that broke: it sends the same commit again.
    return isLost ? new Response(null, { status: 500 }) : new Response(bytes, { status, headers });
  });
  return {
    environment: {
      ...server.environment,
      BATCHWAY_CATALOG: `http://127.0.0.1:${proxy.addr.port}`,
    },
    commits: () => commits,
    hold: (until) => held = until,
    loseEvery: (count) => lossy = count,
    [Symbol.asyncDispose]: () => proxy.shutdown(),
  };
}
