/** Bringing a backup into the catalog. */
import { calledAs } from "../runtime/program_name.ts";
import { isObject } from "../codecs/json_object.ts";
import { groupCommits } from "../catalog/grouped_kv.ts";
import { keys, maxBatch } from "../catalog/keys.ts";
import { change, openKv } from "../catalog/kv.ts";
import { dropMoment, removeAll } from "../catalog/moment.ts";
import { beginImport, endImport, ensureSchema, newer, schemaVersion } from "../catalog/schema.ts";
import { Failure } from "../codecs/failure.ts";
import { isBlank, splitLines } from "../codecs/jsonl.ts";
import { decode, type Encoded } from "../codecs/kv_json.ts";
import { backupFormat } from "./export.ts";

/** Dependencies of importing. */
export interface ImportDeps {
  readonly kv: Deno.Kv;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Opens the backup from its beginning; it is read twice. */
  readonly open: () => Promise<ReadableStream<Uint8Array>>;
  /** Milliseconds since 1970; the system's where absent. */
  readonly now?: () => number;
  /** Whether what is in the catalog goes. */
  readonly force: boolean;
}

/** An entry of the catalog. */
interface Entry {
  readonly key: Deno.KvKey;
  readonly value: unknown;
  /** Number of its line in the backup. */
  readonly line: number;
}

const [schemaKind] = keys.schema();

/** No line is longer: a value has at most 64 KiB, which base64 and escapes make longer. */
const maxLineBytes = 2 ** 20;
/** Of a step's 800 KiB; a text may take twice its JSON in the catalog. */
const maxStepBytes = 300_000;

/**
 * Reads a backup to its end, lets Deno KV try each of its entries, and then writes it into the catalog
 * in steps. A catalog that an import was cut short over opens no more until one has come to its end;
 * {@linkcode replaceCatalog} keeps the old one until then. What was true only of living processes
 * stays behind.
 *
 * @returns How many entries were written.
 */
export async function importBackup(deps: ImportDeps): Promise<number> {
  const { kv, sleep, force } = deps;
  const { schema, at } = await checkBackup(deps);
  if (!force) await mustBeEmpty(kv);
  await beginImport(kv);
  await removeAll(kv, sleep, [], schemaKind);
  let count = 0;
  for await (const group of groupsOf(deps)) {
    await write(kv, sleep, group);
    count += group.length;
  }
  await dropMoment(kv, sleep, (deps.now ?? Date.now)(), at);
  await endImport(kv, schema);
  await ensureSchema(groupCommits(kv), sleep, "The catalog");
  return count;
}

/** Throws where the catalog holds anything. */
export async function mustBeEmpty(kv: Deno.Kv): Promise<void> {
  for await (const { key } of kv.list({ prefix: [] }, { limit: 2 })) {
    if (key[0] === schemaKind) continue;
    throw new Failure(
      "conflict",
      "The catalog is not empty. Import into an empty one (BATCHWAY_DATA names its folder), or say " +
        "--force, which throws away what is in it",
    );
  }
}

/** What a backup says of itself. */
interface Head {
  readonly schema: number;
  /** When it was made, in milliseconds since 1970; absent where it does not say. */
  readonly at?: number;
}

/**
 * Reads all of a backup, and writes it once to a catalog in memory. Throws a sentence where it is
 * something else, is cut short, is newer, or holds what no catalog can hold.
 */
async function checkBackup(deps: ImportDeps): Promise<Head> {
  let head: Head | undefined;
  let entries = 0;
  let counted: unknown;
  for await (const { line } of linesOf(await deps.open())) {
    if (!head) head = headOf(line);
    else if (counted !== undefined) throw broken("there is something after its end");
    else if (entryOf(line)) entries++;
    else if ("end" in line) counted = line["end"];
    else throw broken("a line is neither an entry nor the end");
  }
  if (!head) throw notABackup();
  if (counted !== entries) throw broken("it was cut short: its end is missing, or entries are");
  const trial = await openKv(":memory:");
  try {
    for await (const group of groupsOf(deps)) await tryOut(trial, group);
  } finally {
    trial.close();
  }
  return head;
}

/** Writes entries and removes them again. Throws where one of them is refused. */
async function tryOut(trial: Deno.Kv, entries: readonly Entry[]): Promise<void> {
  try {
    const [written, removed] = [trial.atomic(), trial.atomic()];
    for (const { key, value } of entries) written.set(key, value);
    for (const { key } of entries) removed.delete(key);
    await written.commit();
    await removed.commit();
    return;
  } catch {
    // One of them is wrong: which one is found out below.
  }
  for (const { key, value, line } of entries) {
    try {
      await trial.set(key, value);
      await trial.delete(key);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw broken(`line ${line} has no room in a catalog, or is not an entry of one (${reason})`);
    }
  }
}

/** The entries of a backup, in groups that have room in one step. */
async function* groupsOf({ open }: ImportDeps): AsyncGenerator<readonly Entry[]> {
  let group: Entry[] = [];
  let bytes = 0;
  for await (const { line, length, number } of linesOf(await open())) {
    const entry = entryOf(line, number);
    if (!entry) continue;
    if (group.length === maxBatch || bytes + length > maxStepBytes) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(entry);
    bytes += length;
  }
  yield group;
}

function headOf(line: Readonly<Record<string, Encoded>>): Head {
  const { batchway, format, schema, at } = line;
  if (batchway !== "catalog" || typeof schema !== "number") throw notABackup();
  if (format !== backupFormat) {
    throw new Failure(
      "invalid",
      `The backup has the format ${
        JSON.stringify(format)
      }, and this program reads ${backupFormat}. ` +
        "Import it with the Batchway that wrote it",
    );
  }
  if (schema > schemaVersion) throw newer("The backup", schema);
  if (!Number.isInteger(schema) || schema < 1) throw broken(`there is no schema ${schema}`);
  const time = typeof at === "string" ? Date.parse(at) : NaN;
  return { schema, ...(!Number.isNaN(time) && { at: time }) };
}

function entryOf(line: Readonly<Record<string, Encoded>>, number = 0): Entry | undefined {
  const { k, v } = line;
  if (!Array.isArray(k) || v === undefined) return undefined;
  try {
    const key = k.map(decode);
    if (key.length === 0 || !isKey(key)) {
      throw broken("an entry has a key that Deno KV cannot have");
    }
    if (key[0] === schemaKind) throw broken("an entry has the key of the schema");
    return { key, value: decode(v), line: number };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw broken(error instanceof Error ? error.message : String(error));
  }
}

function isKey(parts: readonly unknown[]): parts is Deno.KvKey {
  return parts.every((part) =>
    part instanceof Uint8Array ||
    ["string", "number", "bigint", "boolean"].includes(typeof part) && !Number.isNaN(part)
  );
}

async function* linesOf(stream: ReadableStream<Uint8Array>) {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  const lines = stream.pipeThrough(splitLines({ maxLineBytes }));
  let number = 0;
  for await (const bytes of lines) {
    number++;
    if (isBlank(bytes)) continue;
    let line: unknown;
    try {
      line = JSON.parse(utf8.decode(bytes));
    } catch {
      throw number === 1 ? notABackup() : broken(`line ${number} is not JSON`);
    }
    if (!isRecord(line)) {
      throw number === 1 ? notABackup() : broken(`line ${number} is not an object`);
    }
    yield { line, length: bytes.length, number };
  }
}

async function write(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
  entries: readonly Entry[],
): Promise<void> {
  await change(sleep, async () => {
    const step = kv.atomic();
    for (const { key, value } of entries) step.set(key, value);
    return (await step.commit()).ok ? { done: undefined } : "again";
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, Encoded>> {
  return isObject(value);
}

function notABackup(): Failure {
  return new Failure(
    "invalid",
    `The file is not a backup of a catalog. \`${calledAs("catalog export")} FILE\` makes one`,
  );
}

function broken(why: string): Failure {
  return new Failure("invalid", `The backup cannot be used: ${why}. Nothing was imported`);
}
