/** What `deno task bench` is told. */
import { parseArgs } from "node:util";

/** The options of a run. */
export interface BenchOptions {
  /** Few requests, 10,000 objects, nothing of a gigabyte. */
  readonly quick: boolean;
  /** Names of cases, or what they begin with; empty for all. */
  readonly only: readonly string[];
  /** Whether the cases that are measured with authentication on are to be, too. */
  readonly authentication: boolean;
  /** Whether JSON is printed instead of Markdown. */
  readonly json: boolean;
  /** Where the two files go; a run of everything writes them beside this program. */
  readonly out: string | undefined;
  /** Where a CPU profile of the gateway goes. */
  readonly profile: string | undefined;
  readonly help: boolean;
}

/** How to use it. */
export const usage = `deno task bench [options]
  --quick         few requests, small catalogs, nothing of a gigabyte: minutes become seconds
  --only NAME     this case, or those whose names begin so; may be repeated
  --auth          measure with authentication on, too
  --json          print the table as JSON instead of Markdown
  --out FOLDER    write results.json and results.md there
  --profile FOLDER  write a CPU profile of the gateway there; bench/profile.ts reads it`;

/** Reads the arguments. Throws TypeError for one that is not known. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      auth: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      out: { type: "string" },
      profile: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  return {
    quick: values.quick,
    only: values.only,
    authentication: values.auth,
    json: values.json,
    out: values.out,
    profile: values.profile,
    help: values.help,
  };
}
