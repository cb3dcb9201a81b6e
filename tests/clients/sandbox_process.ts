/**
 * The simulated providers in a process of their own, so that what they need of memory is not taken
 * for the gateway's. Run as a program it serves until its standard input ends.
 */
import { fileURLToPath } from "node:url";
import { type Sandbox, startSandbox } from "../../sandbox/server.ts";

/** Where the simulated providers of another process are. */
export type SandboxUrls = Omit<Sandbox, "close">;

/** Starts the simulated providers as a process; their files and state are in a folder. */
export async function spawnSandbox(folder: string): Promise<Sandbox> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--cached-only", "-A", fileURLToPath(import.meta.url), folder],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let told = "";
  while (!told.includes("\n")) {
    const { value, done } = await output.read();
    if (done) throw new Error(`The simulated providers ended before they served: ${told}`);
    told += value;
  }
  const urls: SandboxUrls = JSON.parse(told);
  return {
    ...urls,
    async close() {
      await child.stdin.close();
      await output.cancel();
      await child.status;
    },
  };
}

if (import.meta.main) {
  const [folder = ""] = Deno.args;
  const { close, ...urls } = await startSandbox({ batchSeconds: 1, folder });
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(urls)}\n`));
  // It ends with whoever started it, also where that is killed.
  for await (const _ of Deno.stdin.readable);
  await close();
}
