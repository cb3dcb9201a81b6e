/** `deno task usage`: what jobs used and cost. */
import { sumUsage } from "../accounts/sum.ts";
import { createCatalog } from "../catalog/catalog.ts";
import { catalogLocation, openLocation } from "../catalog/location.ts";
import { asksForHelp, withSettings } from "../config/arguments.ts";
import { type Config, loadConfig } from "../config/config.ts";
import { print, runMain } from "../program.ts";
import { createBreath } from "../runtime/breath.ts";
import {
  parseUsageArguments,
  readUsageArguments,
  type UsageCommand,
  usageHelp,
} from "./usage_arguments.ts";
import { written } from "./usage_output.ts";

const sleep = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));
const complain = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));

/** Runs the command line; its exit code: 0, 1 where it failed, 2 where it was not understood. */
export async function run(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  if (asksForHelp(args)) {
    print(usageHelp());
    return 0;
  }
  const command = parseUsageArguments(args, Date.now());
  const { values } = readUsageArguments(args);
  const config = await loadConfig(withSettings(environment, values));
  await printAll(await answer(config, command));
  return 0;
}

async function answer(
  { data, catalog }: Config,
  { query, format }: UsageCommand,
): Promise<string> {
  const opened = await openLocation(catalogLocation(catalog, data), { sleep, warn: complain });
  try {
    const { usage } = createCatalog(opened.kv, sleep);
    const found = await sumUsage(usage, query, undefined, createBreath());
    if (found.unpriced.length > 0) {
      complain(
        `No price was known for ${found.unpriced.join(", ")}. Set "prices" in batchway.jsonc: it ` +
          "counts for jobs that end from then on",
      );
    }
    return written(found, query.by, format);
  } finally {
    await opened.close();
  }
}

/** Writes all of it: a pipe takes a piece at a time. */
async function printAll(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(`${text}\n`);
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}

if (import.meta.main) await runMain(run);
