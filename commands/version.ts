/** `batchway version`: which version of Batchway runs, and on which Deno. */
import { asksForHelp, readArguments, refuseWords } from "../config/arguments.ts";
import { print, runMain } from "../program.ts";
import { calledAs } from "../runtime/program_name.ts";
import { denoVersion, version } from "../runtime/version.ts";

const options = { json: { type: "boolean" } } as const;

/** Runs the command line; returns its exit code. */
export function run(args: readonly string[]): Promise<number> {
  const command = calledAs("version");
  if (asksForHelp(args)) {
    print(`${command} [--json]
Prints the version of Batchway and of Deno.
  --json    print {"version", "deno"}
  --help    print this`);
    return Promise.resolve(0);
  }
  const { values, positionals } = readArguments(command, args, options);
  refuseWords(command, positionals, options);
  const versions = { version, deno: denoVersion };
  print(values.json ? JSON.stringify(versions) : `batchway ${version} (deno ${denoVersion})`);
  return Promise.resolve(0);
}

if (import.meta.main) await runMain(run);
