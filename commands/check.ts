/**
 * `batchway check`: reads the configuration, and asks of everything that it names whether it works.
 */
import { join } from "node:path";
import { checkedKv } from "../catalog/checked_kv.ts";
import { createCatalog } from "../catalog/catalog.ts";
import { openCatalogKv } from "../catalog/open.ts";
import { catalogLocation, openLocation } from "../catalog/location.ts";
import {
  asksForHelp,
  commandSettings,
  readArguments,
  refuseWords,
  UsageError,
  withSettings,
} from "../config/arguments.ts";
import { type Config, loadConfig } from "../config/config.ts";
import { print, runMain } from "../program.ts";
import { createProviders } from "../providers/registry.ts";
import { createUploader } from "../providers/upload.ts";
import { found } from "../runtime/files.ts";
import { calledAs } from "../runtime/program_name.ts";
import { checkProvider, type Finding, listenTo } from "./check_provider.ts";
import type { LiveOptions } from "./check_live.ts";

const options = {
  ...commandSettings,
  timeout: { type: "string" },
  json: { type: "boolean" },
  live: { type: "boolean" },
  yes: { type: "boolean" },
  model: { type: "string" },
  only: { type: "string" },
  wait: { type: "string" },
  bucket: { type: "string" },
  role: { type: "string" },
} as const;

/** Options that mean nothing without `--live`. */
const ofLive = ["yes", "model", "only", "wait", "bucket", "role"] as const;

const help = (command: string) =>
  `${command} [options]
Reads the configuration, looks at data folder and catalog, and makes one harmless call to each account
of each provider: it lists batches, or asks for a bucket. It writes nothing to them and costs nothing.
  --data FOLDER        folder of the catalog and the spool (BATCHWAY_DATA)
  --config FILE        configuration file (BATCHWAY_CONFIG)
  --timeout SECONDS    how long to wait for each answer (20)
  --json               print {"ok", "findings": [{"what", "ok", "detail"}]}
  --help               print this
  --live               also run a small job at each provider, from its put to its results; this is
                       paid, a few cents at the most. What follows is for --live:
  --yes                do not ask first
  --only NAMES         providers that run one, with commas between them
  --model NAME=ID,…    the model of a provider; else a cheap one
  --wait MINUTES       how long a job may take before it is stopped (30)
  --bucket B --role R  what a job at bedrock needs, of 100 records
Ends with 1 where something does not work.`;

const sleep = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));

/** Runs the command line; returns its exit code. */
export async function run(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  const command = calledAs("check");
  if (asksForHelp(args)) {
    print(help(command));
    return 0;
  }
  const { values, positionals } = readArguments(command, args, options);
  refuseWords(command, positionals, options);
  const { timeout = "20", json = false } = values;
  if (!/^[0-9]{1,4}(\.[0-9]+)?$/.test(timeout) || Number(timeout) === 0) {
    throw new UsageError("--timeout must be a number of seconds, such as 20 or 0.5");
  }
  const idle = ofLive.find((name) => values[name] !== undefined);
  if (!values.live && idle !== undefined) throw new UsageError(`--${idle} needs --live`);
  const own = withSettings(environment, values);
  const findings: Finding[] = [];
  const note = (finding: Finding) => {
    findings.push(finding);
    const { what, ok, detail } = finding;
    if (!json) print(`${ok ? "ok    " : "FAILED"} ${what}: ${detail}`);
  };
  for await (const finding of everything(own, Number(timeout) * 1000)) note(finding);
  if (values.live && findings.some(({ what, ok }) => what === "configuration" && ok)) {
    const { yes = false, model, only, wait = "30", bucket, role } = values;
    await runAll(own, { yes, json, model, only, wait, bucket, role }, note, findings);
  }
  const wrong = findings.filter(({ ok }) => !ok).length;
  const isOk = wrong === 0;
  if (json) print(JSON.stringify({ ok: isOk, findings }));
  else print(isOk ? "Everything works" : `${wrong} of ${findings.length} do not work`);
  return isOk ? 0 : 1;
}

/** Runs a job at each provider. The gateway is loaded only for it. */
async function runAll(
  environment: Readonly<Record<string, string>>,
  options: LiveOptions,
  note: (finding: Finding) => void,
  findings: readonly Finding[],
): Promise<void> {
  const { liveFindings, reportHint } = await import("./check_live.ts");
  for await (const finding of liveFindings(environment, options)) note(finding);
  if (!options.json) print(reportHint(findings));
}

async function* everything(
  environment: Readonly<Record<string, string>>,
  timeoutMilliseconds: number,
): AsyncGenerator<Finding> {
  let config: Config;
  try {
    config = await loadConfig(environment);
  } catch (error) {
    yield { what: "configuration", ok: false, detail: reasonOf(error) };
    return;
  }
  const names = config.providers.map(({ name }) => name);
  yield names.length > 0
    ? { what: "configuration", ok: true, detail: `providers: ${names.join(", ")}` }
    : { what: "configuration", ok: false, detail: "No provider is configured" };
  for (const note of config.notes) yield { what: "configuration", ok: true, detail: note };
  yield await checkData(config.data);
  yield await checkCatalog(config);
  yield* checkProviders(config, environment, timeoutMilliseconds);
}

/** Tries whether a file can be made in the data folder; makes no folder. */
async function checkData(folder: string): Promise<Finding> {
  const what = `data folder ${folder}`;
  try {
    const info = await found(Deno.stat(folder));
    if (!info) return { what, ok: true, detail: "does not exist yet; the first start makes it" };
    const path = join(folder, `.check-${crypto.randomUUID()}`);
    await Deno.writeTextFile(path, "", { createNew: true });
    await Deno.remove(path);
    return { what, ok: true, detail: "can be written" };
  } catch (error) {
    return { what, ok: false, detail: `cannot be written: ${reasonOf(error)}` };
  }
}

/** Tries whether the catalog can be opened, as it is, and counts the keys in it. */
async function checkCatalog({ catalog, data }: Config): Promise<Finding> {
  const path = join(data, "catalog.kv");
  const isFile = catalog === "file";
  const what = isFile ? `catalog ${path}` : "catalog";
  const warnings: string[] = [];
  const warn = (text: string) => void warnings.push(text);
  try {
    if (isFile && !await found(Deno.stat(path))) {
      return { what, ok: true, detail: "does not exist yet; the first start makes it" };
    }
    // A file is opened as it is, whatever its version: a check changes nothing.
    const opened = isFile
      ? await openCatalogKv(path, { sleep, report: warn, anyForm: true })
      : await openLocation(catalogLocation(catalog, data), { sleep, warn });
    try {
      const { credentials } = createCatalog(checkedKv(opened.kv), sleep);
      const { length } = await credentials.all();
      const keys = length === 0 ? "no keys: only programs on this machine are served" : undefined;
      return { what, ok: true, detail: [keys ?? `keys: ${length}`, ...warnings].join(". ") };
    } finally {
      await opened.close();
    }
  } catch (error) {
    return { what, ok: false, detail: reasonOf(error) };
  }
}

async function* checkProviders(
  config: Config,
  environment: Readonly<Record<string, string>>,
  timeoutMilliseconds: number,
): AsyncGenerator<Finding> {
  const uploader = createUploader();
  const wire = listenTo({ fetch, uploader }, Date.now);
  try {
    const providers = createProviders(config.providers, {
      ...wire.ways,
      now: () => new Date(),
      random: (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
      sleep,
      env: (name) => environment[name],
    });
    const { store } = config.objects;
    const bucketsOf = (provider: string) => [
      ...Object.entries(config.buckets).flatMap(([bucket, one]) =>
        one.provider === provider && !bucket.includes("*") ? [bucket] : []
      ),
      ...(store?.kind === "bucket" && store.provider === provider ? [store.bucket] : []),
    ];
    for (const provider of providers.values()) {
      yield* checkProvider(provider, { wire, bucketsOf, timeoutMilliseconds });
    }
  } finally {
    await uploader.close();
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

if (import.meta.main) await runMain(run);
