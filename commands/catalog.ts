/** `deno task catalog`: looking at the catalog, putting it right, and backing it up. */
import {
  asksForHelp,
  commandSettings,
  readArguments,
  UsageError,
  withSettings,
} from "../config/arguments.ts";
import { keptLocation } from "../blob_stores.ts";
import { missingAccounts } from "../care/accounts.ts";
import { copyCatalog } from "../care/copy.ts";
import { compare, type ProviderAccount } from "../care/compare.ts";
import { compareBlobs, type KeptStore } from "../care/compare_blobs.ts";
import { examine } from "../care/examine.ts";
import { backupLines } from "../care/export.ts";
import { importBackup, mustBeEmpty } from "../care/import.ts";
import { rebuild } from "../care/rebuild.ts";
import { collect, type Problem, rebuiltLines, reportLines } from "../care/report.ts";
import { checkedKv } from "../catalog/checked_kv.ts";
import { createCatalog } from "../catalog/catalog.ts";
import { openCatalogKv, type OpenDeps, type OpenedKv, replaceCatalog } from "../catalog/open.ts";
import { newer, schemaOf, schemaVersion } from "../catalog/schema.ts";
import { Failure } from "../codecs/failure.ts";
import { nearest } from "../codecs/nearest.ts";
import { found } from "../runtime/files.ts";
import { type Config, loadConfig } from "../config/config.ts";
import { print as printLine, runMain } from "../program.ts";
import { calledAs } from "../runtime/program_name.ts";
import { createProviders } from "../providers/registry.ts";
import { createUploader } from "../providers/upload.ts";

const usage = (command: string) =>
  `${command} check [--offline] [--json]
    Compares the catalog with itself and with the providers, and changes nothing.
    Ends with 1 where something is wrong. --offline asks no provider.
${command} rebuild [--offline] [--tenant T] [--json]
    Puts indexes and names right; makes jobs and objects again of what the providers hold.
    Gateways may go on meanwhile, and it may be run again. --tenant says whose jobs are that are
    made again; without it they are native ones. Ends with 1 where something is left.
${command} export [FILE]
    Writes a backup, as the catalog is at one moment, while gateways go on: JSON Lines, into a new
    file that only this user can read, or to standard output. Keep it as a secret: what is sealed
    in the catalog stays sealed, all else can be read in it.
${command} import FILE [--force]
    Brings a backup into an empty catalog; --force throws away what is in one. No gateway may use
    it meanwhile.
The catalog is in the folder that BATCHWAY_DATA names, or --data FOLDER; providers are configured as
for a gateway: BATCHWAY_CONFIG, or --config FILE.`;

/** Options of the commands. */
interface Options {
  readonly json: boolean;
  readonly offline: boolean;
  readonly force: boolean;
  readonly tenant?: string;
  readonly file?: string;
}

type Command = (config: Config, path: string, options: Options) => Promise<number>;

/** The commands: which options each takes, and whether it takes a file. */
const commands: Readonly<
  Record<string, { work: Command; options: readonly string[]; file?: "needed" | "optional" }>
> = {
  check: { work: check, options: ["json", "offline"] },
  rebuild: { work: rebuildCatalog, options: ["json", "offline", "tenant"] },
  export: { work: exportCatalog, options: [], file: "optional" },
  import: { work: importCatalog, options: ["force"], file: "needed" },
};

const encoder = new TextEncoder();
const tell = (line: string) => void Deno.stderr.writeSync(encoder.encode(`${line}\n`));
const sleep = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

const commandLine = {
  ...commandSettings,
  json: { type: "boolean" },
  offline: { type: "boolean" },
  force: { type: "boolean" },
  tenant: { type: "string" },
} as const;

/** Runs the command line; returns its exit code. */
export async function run(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  const called = calledAs("catalog");
  if (asksForHelp(args)) {
    printLine(usage(called));
    return 0;
  }
  const parsed = parse(called, args);
  if (typeof parsed === "string") {
    tell(`${parsed}\n\n${usage(called)}`);
    return 2;
  }
  const config = await loadConfig(withSettings(environment, parsed.places));
  if (config.catalog !== "file") {
    tell(
      "BATCHWAY_CATALOG names a catalog that is not a file here, and this command reads files. Run it " +
        "on the machine of the server, without BATCHWAY_CATALOG, and with BATCHWAY_DATA as the folder " +
        "in which the server's file is catalog.kv",
    );
    return 2;
  }
  return await parsed.work(config, `${config.data}/catalog.kv`, parsed.options);
}

interface Parsed {
  readonly work: Command;
  readonly options: Options;
  readonly places: Readonly<{ data?: string; config?: string }>;
}

/** Reads the command line; a sentence where it is wrong. */
function parse(called: string, args: readonly string[]): Parsed | string {
  let given;
  try {
    given = readArguments(called, args, commandLine);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  const { values: { data, config, ...values }, positionals: [name, file, ...rest] } = given;
  const names = Object.keys(commands);
  const known = names.join(", ");
  if (name === undefined) return `Name a command: ${known}`;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    return `There is no command ${name}; there are ${known}; the nearest is ${
      nearest(name, names)
    }`;
  }
  const odd = Object.keys(values).find((option) => !command.options.includes(option));
  if (odd !== undefined) return `${name} takes no --${odd}`;
  if (command.file === "needed" && file === undefined) return `${name} needs a file`;
  if (rest.length > 0 || (!command.file && file !== undefined)) {
    return `${name} takes no further arguments`;
  }
  const { json = false, offline = false, force = false, tenant } = values;
  const options = { json, offline, force, ...(tenant && { tenant }), ...(file && { file }) };
  const places = { ...(data !== undefined && { data }), ...(config !== undefined && { config }) };
  return { work: command.work, options, places };
}

async function check(config: Config, path: string, { json, offline }: Options): Promise<number> {
  await mustBeThere(path);
  // Whatever its size: that is what was asked for.
  const opened = await open(path, { anyForm: true, alwaysCheckedBytes: Infinity });
  try {
    const schema = await schemaOf(opened.kv);
    if (schema > schemaVersion) throw newer(`The catalog ${path}`, schema);
    if (schema < schemaVersion) {
      tell(
        `The catalog ${path} has schema ${schema}, and this program works on ${schemaVersion}. ` +
          `Start a gateway, or run \`${calledAs("catalog rebuild")}\`: both bring it up to date`,
      );
      return 1;
    }
    return await withProviders(config, offline, async (places, kept, signal) => {
      const catalog = createCatalog(checkedKv(opened.kv), sleep);
      const deps = { kv: opened.kv, catalog, now: Date.now };
      async function* problems(): AsyncGenerator<Problem> {
        yield* examine(opened.kv, sleep);
        if (!offline) yield* missingAccounts(checkedKv(opened.kv), catalog, places);
        for (const place of places) yield* compare(deps, place, signal);
        if (kept) yield* compareBlobs(deps, kept, signal);
      }
      const about = { catalog: path, schema, accounts: places.length };
      const report = await collect(about, problems());
      await print(json ? `${JSON.stringify(report)}\n` : `${reportLines(report).join("\n")}\n`);
      return report.ok ? 0 : 1;
    });
  } finally {
    await opened.close();
  }
}

async function rebuildCatalog(
  config: Config,
  path: string,
  { json, offline, tenant }: Options,
): Promise<number> {
  const opened = await open(path);
  try {
    return await withProviders(config, offline, async (places, kept, signal) => {
      const catalog = createCatalog(checkedKv(opened.kv), sleep);
      const { region } = config;
      const deps = {
        kv: opened.kv,
        catalog,
        now: Date.now,
        sleep,
        region,
        ...(tenant && { tenant }),
        ...(kept && { kept }),
      };
      const done = await rebuild(deps, places, signal);
      if (json) await print(`${JSON.stringify({ catalog: path, ...done })}\n`);
      else await print(`${rebuiltLines(path, done).join("\n")}\n`);
      return done.leftCount === 0 ? 0 : 1;
    });
  } finally {
    await opened.close();
  }
}

async function exportCatalog(_: Config, path: string, { file }: Options): Promise<number> {
  await mustBeThere(path);
  // Opened for its lock, and for being looked through: a backup of damage is worthless.
  const opened = await open(path, { anyForm: true });
  try {
    // Before the copy: what is put while it is made is perhaps not in it.
    const at = new Date();
    await using copy = await copyCatalog(path);
    const lines = ReadableStream.from(backupLines(copy.kv, at))
      .pipeThrough(new TextEncoderStream());
    if (file === undefined || file === "-") {
      await lines.pipeTo(Deno.stdout.writable, { preventClose: true });
      return 0;
    }
    const target = await createNew(file);
    try {
      await lines.pipeTo(target.writable);
    } catch (error) {
      await Deno.remove(file);
      throw error;
    }
    tell(`The catalog ${path} was written to ${file}. Keep it as a secret`);
    return 0;
  } finally {
    await opened.close();
  }
}

async function importCatalog(_: Config, path: string, options: Options): Promise<number> {
  const { file = "", force } = options;
  const read = async () => {
    try {
      return (await Deno.open(file)).readable;
    } catch (error) {
      throw new Error(`${file} cannot be read: ${error instanceof Error ? error.message : error}`);
    }
  };
  await (await read()).cancel();
  const count = await replaceCatalog(
    path,
    { sleep, report: tell },
    (old) => force ? Promise.resolve() : mustBeEmpty(old),
    (kv) => importBackup({ kv, sleep, open: read, force }),
  );
  tell(`${count} entries of ${file} are in the catalog ${path}`);
  return 0;
}

function open(path: string, more: Partial<OpenDeps> = {}): Promise<OpenedKv> {
  return openCatalogKv(path, { sleep, report: tell, ...more });
}

/** A command that only looks must not leave an empty catalog behind where there was none. */
async function mustBeThere(path: string): Promise<void> {
  if (await found(Deno.stat(path))) return;
  throw new Failure(
    "not-found",
    `There is no catalog ${path}. BATCHWAY_DATA names the folder of the gateway's`,
  );
}

/** Does a work with the accounts of all configured providers, and with the store of kept objects. */
async function withProviders<Result>(
  config: Config,
  offline: boolean,
  work: (
    places: readonly ProviderAccount[],
    kept: KeptStore | undefined,
    signal: AbortSignal,
  ) => Promise<Result>,
): Promise<Result> {
  if (offline) return await work([], undefined, new AbortController().signal);
  const uploader = createUploader();
  try {
    const providers = createProviders(config.providers, {
      fetch,
      now: () => new Date(),
      random: (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
      sleep,
      uploader,
    });
    const places = [...providers.values()].flatMap(({ name, stores }) =>
      (stores?.accounts ?? []).map((account): ProviderAccount => ({ provider: name, account }))
    );
    const kept = await keptLocation(config, providers);
    return await work(places, kept, new AbortController().signal);
  } finally {
    await uploader.close();
  }
}

async function createNew(file: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(file, { write: true, createNew: true, mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    throw new Error(`${file} exists already, and no backup is written over; name another file`);
  }
}

async function print(text: string): Promise<void> {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}

if (import.meta.main) await runMain(run);
