/**
 * Objects by their ETag, where that is not the id of their file: several objects of a bucket may
 * have the same bytes, and so the same ETag.
 */
import { keys, type Scope } from "./keys.ts";
import type { ObjectEntry } from "./entries.ts";

/** An object's place in the catalog. */
interface Named {
  readonly bucket: string;
  readonly key: string;
}

/** Adds to a step what leads from an object's ETag to it. */
export function addEtag(
  step: Deno.AtomicOperation,
  scope: Scope,
  name: Named,
  record: ObjectEntry,
): void {
  const at = etagKey(scope, name, record);
  if (at) step.set(at, true);
}

/** Adds to a step what {@linkcode addEtag} undoes; to be called before it where both are. */
export function dropEtag(
  step: Deno.AtomicOperation,
  scope: Scope,
  name: Named,
  record: ObjectEntry | null,
): void {
  const at = record && etagKey(scope, name, record);
  if (at) step.delete(at);
}

/** Returns where an object is found by its ETag; undefined where that is the id of its file. */
export function etagKey(
  scope: Scope,
  { bucket, key }: Named,
  record: ObjectEntry,
): Deno.KvKey | undefined {
  const { etag, file, modifiedAt } = record;
  return etag === file ? undefined : keys.etag(scope, bucket, etag, modifiedAt, key);
}

const utf8 = new TextDecoder();
/** Entries that are read for one ETag: those of expired objects stay until they are forgotten. */
const mostRead = 16;

/**
 * The newest object of a bucket that has an ETag.
 *
 * @param accepts Whether an object counts, expired ones do not.
 */
export async function newestOfEtag(
  kv: Deno.Kv,
  scope: Scope,
  bucket: string,
  etag: string,
  accepts: (record: ObjectEntry) => boolean,
): Promise<{ readonly key: string; readonly record: ObjectEntry } | undefined> {
  const options = { reverse: true, limit: mostRead };
  for await (const entry of kv.list({ prefix: keys.etags(scope, bucket, etag) }, options)) {
    const key = utf8.decode(entry.key.at(-1) as Uint8Array);
    const { value } = await kv.get<ObjectEntry>(keys.object(scope, bucket, key));
    if (value && value.etag === etag && accepts(value)) return { key, record: value };
  }
  return undefined;
}
