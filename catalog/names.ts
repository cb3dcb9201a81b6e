/**
 * Names of provider files. A file has its first name in its entry; copies give it further ones,
 * each a key of its own. Every change of a file's names writes the file's entry, so that a check
 * of that entry shows whether a name came or went meanwhile: who takes the last name away and who
 * adds another cannot both go through.
 */
import { Failure } from "../codecs/failure.ts";
import type { FileId } from "../codecs/ids.ts";
import { keys, longId } from "./keys.ts";
import type { FileEntry, ObjectEntry, TrashEntry } from "./entries.ts";
import type { Held } from "./held.ts";

/** What an object is called, and by whom. */
export type Name = Pick<FileEntry, "tenant" | "bucket" | "key">;

/** What becomes of a file that loses a name: `last` if it has no other. */
export type Loss = "named" | "last";

const utf8 = new TextDecoder();
/** How many of a tenant's further names for one file are read to find one that may be used. */
const maxNamesRead = 1_000;

/**
 * Adds to a step what takes a name from a file, and the check that keeps the answer true.
 *
 * `last` leaves the file's entry to the caller: the file is to be deleted at its provider, or is
 * gone there already. A native file that loses its last given name is native again.
 */
export async function dropName(
  kv: Deno.Kv,
  step: Deno.AtomicOperation,
  provider: string,
  file: FileId,
  name: Name,
): Promise<Loss> {
  const entry = await kv.get<FileEntry>(keys.file(provider, file));
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

/** Adds to a step what gives a file another name; `entry` is the file's entry as it was read. */
export function addName(
  step: Deno.AtomicOperation,
  provider: string,
  file: FileId,
  name: Name,
  entry: Deno.KvEntryMaybe<FileEntry>,
  otherwise: FileEntry,
): void {
  step.check(entry).set(entry.key, entry.value ?? otherwise);
  if (entry.value) step.set(keys.furtherName(provider, file, name), true);
}

/**
 * Adds to a step what names the file of a put. It mostly is a new one; where the provider answered
 * with a file that it has already, the name is added to those that the file has.
 *
 * A file in the trash is taken out of it only while a running job reads it, which the step checks:
 * any other is being deleted at its provider, and the put throws `unavailable`.
 *
 * @param entry The file's entry as it was read.
 */
export async function nameFile(
  kv: Deno.Kv,
  step: Deno.AtomicOperation,
  provider: string,
  { file, held }: Pick<ObjectEntry, "file" | "held">,
  name: Name,
  native: boolean,
  entry: Deno.KvEntryMaybe<FileEntry>,
): Promise<void> {
  const first: FileEntry = {
    ...longId(file),
    ...name,
    ...fileLocation(held),
    state: "current",
    ...(native && { native }),
  };
  if (entry.value?.state !== "trash") {
    if (entry.value && isSame(entry.value, name)) step.check(entry).set(entry.key, entry.value);
    else addName(step, provider, file, name, entry, first);
    return;
  }
  const options = { limit: 1 };
  for await (const use of kv.list({ prefix: keys.uses(provider, file) }, options)) {
    step.check(entry).check(use).set(entry.key, first).delete(keys.trashed(provider, file));
    return;
  }
  throw new Failure(
    "unavailable",
    "The provider answered with the id of a file that is being deleted. Send the object again",
    { retryAfterSeconds: 1 },
  );
}

/** A tenant's names of a file besides the one in the file's entry. */
export async function* furtherNamesOf(
  kv: Deno.Kv,
  provider: string,
  file: FileId,
  tenant: string,
): AsyncGenerator<Name> {
  const prefix = [...keys.furtherNames(provider, file), tenant];
  for await (const { key } of kv.list({ prefix }, { limit: maxNamesRead })) yield nameOf(key);
}

/** Returns what the entry of a file holds of where its bytes are. */
export function fileLocation(held: Held): Pick<FileEntry, "account" | "in"> {
  return {
    ...("account" in held && { account: held.account }),
    ...(held.in !== "provider" && { in: held.in }),
  };
}

/** Adds to a step what puts a file into the trash. */
export function throwAway(
  step: Deno.AtomicOperation,
  provider: string,
  { file, held }: Pick<ObjectEntry, "file" | "held">,
  name: Name,
): void {
  const trash: TrashEntry = { ...longId(file), held };
  const record: FileEntry = { ...longId(file), ...name, ...fileLocation(held), state: "trash" };
  step.set(keys.trashed(provider, file), trash).set(keys.file(provider, file), record);
}

async function firstFurther(
  kv: Deno.Kv,
  provider: string,
  file: FileId,
): Promise<Name | undefined> {
  for await (const entry of kv.list({ prefix: keys.furtherNames(provider, file) }, { limit: 1 })) {
    return nameOf(entry.key);
  }
  return undefined;
}

function nameOf(at: Deno.KvKey): Name {
  const [, , , tenant, bucket, key] = at as [string, string, string, string, string, Uint8Array];
  return { tenant, bucket, key: utf8.decode(key) };
}

function isSame(a: Name, b: Name): boolean {
  return a.tenant === b.tenant && a.bucket === b.bucket && a.key === b.key;
}
