/** Bringing a backup into the catalog. */
import { maxBatch } from "../catalog/keys.ts";
import { change } from "../catalog/kv.ts";
import { beginImport, endImport, ensureSchema, newer, schemaVersion } from "../catalog/schema.ts";
import { Failure } from "../codecs/failure.ts";
import { isBlank, splitLines } from "../codecs/jsonl.ts";
import { decode, type Encoded } from "./encoding.ts";
import { backupFormat } from "./export.ts";

/** What importing needs. */
export interface ImportDeps {
  readonly kv: Deno.Kv;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Opens the backup from its beginning; it is read twice. */
  readonly open: () => Promise<ReadableStream<Uint8Array>>;
  /** Whether what is in the catalog goes. */
  readonly force: boolean;
}

/** An entry of the catalog. */
interface Entry {
  readonly key: Deno.KvKey;
  readonly value: unknown;
}

/** No line is longer: a value has at most 64 KiB, which base64 and escapes make longer. */
const maxLineBytes = 2 ** 20;
/** Of a step's 800 KiB; a text may take twice its JSON in the catalog. */
const maxStepBytes = 300_000;

/**
 * Reads a backup to its end, and then writes it into the catalog in steps. A catalog that an import
 * was cut short over opens no more until one has come to its end.
 *
 * @returns How many entries were written.
 */
export async function importBackup(deps: ImportDeps): Promise<number> {
  const { kv, sleep, force } = deps;
  const { schema } = await checkBackup(deps);
  if (!force && !await isEmpty(kv)) {
    throw new Failure(
      "conflict",
      "The catalog is not empty. Import into an empty one (BATCHWAY_DATA names its folder), or say " +
        "--force, which throws away what is in it",
    );
  }
  await beginImport(kv);
  await removeAll(kv, sleep);
  let count = 0;
  let group: Entry[] = [];
  let bytes = 0;
  for await (const { line, length } of linesOf(await deps.open())) {
    const entry = entryOf(line);
    if (!entry) continue;
    if (group.length === maxBatch || bytes + length > maxStepBytes) {
      await write(kv, sleep, group);
      group = [];
      bytes = 0;
    }
    group.push(entry);
    bytes += length;
    count++;
  }
  await write(kv, sleep, group);
  await endImport(kv, schema);
  await ensureSchema(kv, sleep, "The catalog");
  return count;
}

/** Reads all of a backup. Throws a sentence where it is none, is cut short, or is newer. */
async function checkBackup({ open }: ImportDeps): Promise<{ readonly schema: number }> {
  let head: { readonly schema: number } | undefined;
  let entries = 0;
  let told: unknown;
  for await (const { line } of linesOf(await open())) {
    if (!head) head = headOf(line);
    else if (told !== undefined) throw broken("there is something after its end");
    else if (entryOf(line)) entries++;
    else if ("end" in line) told = line["end"];
    else throw broken("a line is neither an entry nor the end");
  }
  if (!head) throw notABackup();
  if (told !== entries) throw broken("it was cut short: its end is missing, or entries are");
  return head;
}

function headOf(line: Readonly<Record<string, Encoded>>): { readonly schema: number } {
  const { batchway, format, schema } = line;
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
  return { schema };
}

function entryOf(line: Readonly<Record<string, Encoded>>): Entry | undefined {
  const { k, v } = line;
  if (!Array.isArray(k) || v === undefined) return undefined;
  try {
    return { key: k.map((part: Encoded) => decode(part) as Deno.KvKeyPart), value: decode(v) };
  } catch (error) {
    throw broken(error instanceof Error ? error.message : String(error));
  }
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
      throw number === 1 ? notABackup() : broken(`line ${number} is no JSON`);
    }
    if (!isRecord(line)) throw number === 1 ? notABackup() : broken(`line ${number} is no object`);
    yield { line, length: bytes.length };
  }
}

async function isEmpty(kv: Deno.Kv): Promise<boolean> {
  let others = 0;
  for await (const { key } of kv.list({ prefix: [] }, { limit: 2 })) {
    if (key[0] !== "schema") others++;
  }
  return others === 0;
}

async function removeAll(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
): Promise<void> {
  for (;;) {
    const found: Deno.KvKey[] = [];
    for await (const { key } of kv.list({ prefix: [] }, { limit: maxBatch })) {
      if (key[0] !== "schema") found.push(key);
    }
    if (found.length === 0) return;
    await change(sleep, async () => {
      const step = kv.atomic();
      for (const key of found) step.delete(key);
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
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
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function notABackup(): Failure {
  return new Failure(
    "invalid",
    "The file is no backup of a catalog. `deno task catalog export FILE` makes one",
  );
}

function broken(why: string): Failure {
  return new Failure("invalid", `The backup cannot be used: ${why}. Nothing was imported`);
}
