/**
 * denokv, the self-hosted server of KV Connect: the one that BATCHWAY_TEST_DENOKV names, that of the
 * search path, or the one that `deno task denokv` builds in `.cache`. Building it takes cargo and
 * ten minutes or more, so no test does that by itself.
 */
import { join } from "node:path";
import type { Program } from "./debian.ts";
import { attempt, cache, say } from "./program.ts";

/** The release that is built and was tested. */
const version = "0.14.0";
const root = join(cache, "denokv");
const token = "a-token-for-tests";

/** A server that runs. */
export interface DenokvServer {
  readonly url: string;
  /** What a gateway must be told to use it as its catalog. */
  readonly environment: Readonly<Record<string, string>>;
  /** Ends it at once, as a crash would; what it acknowledged stays in its file. */
  kill(): Promise<void>;
}

/** Finds the program. */
export async function findDenokv(): Promise<Program> {
  const told = Deno.env.get("BATCHWAY_TEST_DENOKV");
  for (const path of told ? [told] : ["denokv", join(root, "bin", "denokv")]) {
    const shown = await attempt(path, ["--help"]);
    if (shown?.code === 0) return { state: "ready", path };
  }
  return {
    state: "missing",
    reason: told
      ? `${told} of BATCHWAY_TEST_DENOKV does not run`
      : "denokv was not found: build it with `deno task denokv`",
  };
}

/** Starts a server on a file, and waits until it answers. */
export async function startDenokv(path: string, file: string, port = 0): Promise<DenokvServer> {
  Deno.env.set("DENO_KV_ACCESS_TOKEN", token);
  const chosen = port || freePort();
  const child = new Deno.Command(path, {
    args: ["--sqlite-path", file, "serve", "--addr", `127.0.0.1:${chosen}`],
    env: { DENO_KV_ACCESS_TOKEN: token },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const url = `http://127.0.0.1:${chosen}`;
  for (let looks = 0; !await answers(url); looks++) {
    if (looks === 400) throw new Error(`${path} does not answer at ${url}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return {
    url,
    environment: { BATCHWAY_CATALOG: url, DENO_KV_ACCESS_TOKEN: token },
    async kill() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

/**
 * Registers a test that needs denokv; where that is missing, an ignored one that says why.
 *
 * @param options Whether calls of the catalog may outlive the test: Deno takes none back.
 */
export function denokvTest(
  denokv: Program,
  name: string,
  work: (path: string) => Promise<void>,
  { sanitizeOps = true }: { readonly sanitizeOps?: boolean } = {},
): void {
  if (denokv.state === "missing") {
    say(`Ignored: ${name}: ${denokv.reason}`);
    Deno.test({ name: `${name} (ignored: ${denokv.reason})`, ignore: true, fn() {} });
    return;
  }
  const { path } = denokv;
  Deno.test({ name, sanitizeOps, fn: () => work(path) });
}

/** A port that nobody listens on now. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function answers(url: string): Promise<boolean> {
  try {
    await (await fetch(url)).body?.cancel();
    return true;
  } catch {
    return false;
  }
}

async function build(): Promise<number> {
  const found = await findDenokv();
  if (found.state === "ready") {
    say(`denokv is there: ${found.path}`);
    return 0;
  }
  say(`denokv: building ${root} with cargo (once, ten minutes or more)`);
  const args = ["install", "denokv", "--version", version, "--locked", "--root", root];
  try {
    return (await new Deno.Command("cargo", { args, stdin: "null" }).spawn().status).code;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    say("cargo was not found: install Rust (https://rustup.rs) and a C compiler");
    return 1;
  }
}

if (import.meta.main) Deno.exit(await build());
