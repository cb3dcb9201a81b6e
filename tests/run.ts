/**
 * `deno task test [path or option of deno test]...`: sets up what the tests need, runs them, and
 * ends with one line that people and scripts read: `N passed, N failed`.
 */
import { stripVTControlCharacters } from "node:util";
import { fileURLToPath } from "node:url";
import { ensurePython } from "./python.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** Numbers of tests, as Deno counts them (a test's steps belong to it). */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/**
 * Reads the summary at the end of what `deno test` printed, such as
 * `FAILED | 12 passed (3 steps) | 1 failed | 2 ignored (4s)`.
 *
 * @returns undefined where there is none: no module could be loaded, or the run was cut off.
 */
export function countsOf(output: string): Counts | undefined {
  const form = /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed/gm;
  const last = [...stripVTControlCharacters(output).matchAll(form)].at(-1);
  return last && { passed: Number(last[1]), failed: Number(last[2]) };
}

/** Runs `deno test` with these arguments and shows what it prints as it comes. */
async function runTests(args: readonly string[]): Promise<{ code: number; output: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    // Files share nothing but the machine. Many wait for others most of their time.
    // What only tests use is locked apart: Deno fetches all of a lock at the first start of anything.
    args: ["test", "--no-prompt", "-A", "--lock=tests/deno.lock", "--parallel", ...args],
    cwd: root,
    env: {
      ...(Deno.stdout.isTerminal() ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" }),
      DENO_JOBS: Deno.env.get("DENO_JOBS") ?? `${navigator.hardwareConcurrency + 1}`,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const decoder = new TextDecoder();
  let output = "";
  for await (const bytes of child.stdout) {
    output += decoder.decode(bytes, { stream: true });
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  }
  return { code: (await child.status).code, output };
}

async function main(): Promise<number> {
  say(`Deno ${Deno.version.deno} (${Deno.execPath()})`);
  say(`Python clients: ${await ensurePython()}`);
  const { code, output } = await runTests(Deno.args);
  const { passed, failed } = countsOf(output) ?? { passed: 0, failed: 1 };
  if (passed + failed === 0) say("No test was run: that is a failure");
  if (code !== 0 && failed === 0) say(`deno test ended with code ${code}`);
  say(`${passed} passed, ${failed} failed`);
  return code === 0 && passed > 0 && failed === 0 ? 0 : 1;
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) Deno.exit(await main());
