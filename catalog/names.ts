/**
 * Names of provider files. A file has its first name in its record; copies give it further ones,
 * each a key of its own. Every change of a file's names writes the file's record, so that a check
 * of that record tells whether a name came or went meanwhile: who takes the last name away and who
 * adds another cannot both go through.
 */
import type { FileId } from "../codecs/ids.ts";
import { keys, longId } from "./keys.ts";
import type { FileRecord, ObjectRecord, TrashRecord } from "./records.ts";

/** What an object is called, and by whom. */
export type Name = Pick<FileRecord, "tenant" | "bucket" | "key">;

/** What becomes of a file that loses a name: `last` if nobody has another for it. */
export type Loss = "named" | "last";

const utf8 = new TextDecoder();

/**
 * Adds to a step what takes a name from a file, and the check that keeps the answer true.
 *
 * `last` leaves the file's record to the caller: the file is to be deleted at its provider, or is
 * gone there already. A native file that loses its last given name is native again.
 */
export async function dropName(
  kv: Deno.Kv,
  step: Deno.AtomicOperation,
  provider: string,
  file: FileId,
  name: Name,
): Promise<Loss> {
  const entry = await kv.get<FileRecord>(keys.file(provider, file));
  const further = keys.furtherName(provider, file, name);
  step.check(entry).delete(further);
  const record = entry.value;
  if (!record || record.state === "trash") return "last";
  if (!isSame(record, name)) {
    step.set(entry.key, record);
    return "named";
  }
  const next = await firstFurther(kv, provider, file);
  if (next) {
    step.delete(keys.furtherName(provider, file, next)).set(entry.key, { ...record, ...next });
    return "named";
  }
  if (!record.native) return "last";
  step.delete(entry.key);
  return "named";
}

/** Adds to a step what gives a file another name; `entry` is the file's record as it was read. */
export function addName(
  step: Deno.AtomicOperation,
  provider: string,
  file: FileId,
  name: Name,
  entry: Deno.KvEntryMaybe<FileRecord>,
  otherwise: FileRecord,
): void {
  step.check(entry).set(entry.key, entry.value ?? otherwise);
  if (entry.value) step.set(keys.furtherName(provider, file, name), true);
}

/** Adds to a step what puts a file into the trash. */
export function throwAway(
  step: Deno.AtomicOperation,
  provider: string,
  { file, account }: Pick<ObjectRecord, "file" | "account">,
  name: Name,
): void {
  const trash: TrashRecord = { ...longId(file), account };
  const record: FileRecord = { ...longId(file), ...name, account, state: "trash" };
  step.set(keys.trashed(provider, file), trash).set(keys.file(provider, file), record);
}

async function firstFurther(
  kv: Deno.Kv,
  provider: string,
  file: FileId,
): Promise<Name | undefined> {
  for await (const entry of kv.list({ prefix: keys.furtherNames(provider, file) }, { limit: 1 })) {
    const [, , , tenant, bucket, key] = entry.key as unknown as [
      string,
      string,
      FileId,
      string,
      string,
      Uint8Array,
    ];
    return { tenant, bucket, key: utf8.decode(key) };
  }
  return undefined;
}

function isSame(a: Name, b: Name): boolean {
  return a.tenant === b.tenant && a.bucket === b.bucket && a.key === b.key;
}
