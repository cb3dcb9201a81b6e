/** The command line of `deno task usage`. */
import { QueryError, readQuery, type UsageQuery } from "../accounts/query.ts";
import { calledAs } from "../runtime/program_name.ts";
import { commandSettings, readArguments, refuseWords, UsageError } from "../config/arguments.ts";

/** How the answer is written. */
export type UsageFormat = "table" | "json" | "csv";

/** What is to be shown, and how. */
export interface UsageCommand {
  readonly query: UsageQuery;
  readonly format: UsageFormat;
}

/** Returns the help text of `usage`. */
export function usageHelp(): string {
  return `Shows what jobs used and cost, one row for each group. Costs are in USD, by the table prices of the
configuration as it was when each job ended.

${command()} [option ...]
    --from DATE   the first day, such as 2026-11-01, UTC (the first of the month of --to)
    --to DATE     the last day, included (today, or --from where that is later)
    --by NAMES    what rows are grouped by: tenant, key, provider, model, day, with commas in
                  between (tenant,provider,model)
    --json        prints { "rows": [ … ] }
    --csv         prints CSV with a header

--data FOLDER (or BATCHWAY_DATA) is the catalog's folder, --config FILE (or BATCHWAY_CONFIG) the
configuration file. A job counts on the day on which it ended. No price known: cost is empty, null
in JSON, and the models are named on standard error.`;
}

const command = () => calledAs("usage");

const options = {
  ...commandSettings,
  from: { type: "string" },
  to: { type: "string" },
  by: { type: "string" },
  json: { type: "boolean" },
  csv: { type: "boolean" },
} as const;

/** Takes a command line apart. Throws {@linkcode UsageError} for options that there are not. */
export function readUsageArguments(args: readonly string[]) {
  const read = readArguments(command(), args, options);
  refuseWords(command(), read.positionals, options);
  return read;
}

/** Reads the command line. Throws {@linkcode UsageError} where it is not understood. */
export function parseUsageArguments(args: readonly string[], now: number): UsageCommand {
  const { values: { from, to, by, json, csv } } = readUsageArguments(args);
  if (json && csv) throw new UsageError("--json and --csv exclude each other. Give one of them");
  try {
    const query = readQuery({ from, to, by }, now);
    return { query, format: json ? "json" : csv ? "csv" : "table" };
  } catch (error) {
    if (error instanceof QueryError) throw new UsageError(`--${error.message}`);
    throw error;
  }
}
