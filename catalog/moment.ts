/**
 * Taking from a catalog what was only true of the moment in which a backup of it was made: which
 * processes lived, what they held, and what they were about to delete.
 */
import type { FileId } from "../codecs/ids.ts";
import { isObject } from "../codecs/json_object.ts";
import { inKey, keys, maxBatch } from "./keys.ts";
import { type Attempt, change } from "./kv.ts";
import type { FileEntry, JournalEntry, ObjectEntry, RestoredEntry, TrashEntry } from "./entries.ts";

type Sleep = (milliseconds: number) => Promise<void>;

/** Kinds of entries that are true only of living processes. */
export const momentaryKinds: readonly string[] = [
  "instance",
  "registration",
  "lease",
  "completing",
  "settling",
  "asked",
];

/**
 * Drops what living processes said of themselves, so that no file is taken for what a dead one left,
 * and frees what they held.
 *
 * - Processes, their registrations and leases go.
 * - Creates under way stay, without a holder: the provider is asked whether their batch was made.
 * - A file in the trash that its object still names, whose deletion was under way, is the object's
 *   again; a native one is native again. Of the rest it is noted when the backup was made: what its
 *   provider dates later is not deleted.
 *
 * May be cut short and repeated, and is to be done while no other process uses the catalog.
 *
 * @param at When the backup was made, in milliseconds since 1970; the time at which a process was
 * last seen where absent.
 */
export async function dropMoment(
  kv: Deno.Kv,
  sleep: Sleep,
  now: number,
  at?: number,
): Promise<void> {
  const made = at ?? await lastSeen(kv);
  if (made !== undefined) {
    await dateTrash(kv, sleep, made);
    const restored: RestoredEntry = { madeAt: made, restoredAt: now };
    await kv.set(keys.restored(), restored);
  }
  for await (const entry of kv.list<JournalEntry>({ prefix: keys.journal() })) {
    if (!isObject(entry.value)) continue;
    // Its provider may have been asked again, until this moment.
    const free: JournalEntry = { ...entry.value, askedAt: now, owner: "", leaseUntil: 0 };
    await change(sleep, async () => {
      await kv.set(entry.key, free);
      return { done: undefined };
    });
  }
  for (const kind of momentaryKinds) await removeAll(kv, sleep, [kind]);
}

/** Deletes all entries below a prefix but those of one kind, in steps. */
export async function removeAll(
  kv: Deno.Kv,
  sleep: Sleep,
  prefix: Deno.KvKey,
  except?: string,
): Promise<void> {
  for (;;) {
    const found: Deno.KvKey[] = [];
    for await (const { key } of kv.list({ prefix }, { limit: maxBatch, batchSize: maxBatch })) {
      if (key[0] !== except) found.push(key);
    }
    if (found.length === 0) return;
    await change(sleep, async () => {
      const step = kv.atomic();
      for (const key of found) step.delete(key);
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }
}

/**
 * Returns when the last process was seen; undefined where all had left, and so nothing was under
 * way.
 */
async function lastSeen(kv: Deno.Kv): Promise<number | undefined> {
  let last: number | undefined;
  for await (const { value } of kv.list({ prefix: keys.instances() })) {
    // Whatever is in it: a process was there.
    const seenAt = isObject(value) && "seenAt" in value ? Number(value.seenAt) || 0 : 0;
    last = Math.max(last ?? 0, seenAt);
  }
  return last;
}

async function dateTrash(kv: Deno.Kv, sleep: Sleep, madeAt: number): Promise<void> {
  for await (const { key } of kv.list({ prefix: keys.trash() }, { batchSize: maxBatch })) {
    const [, provider, file] = key as [string, string, FileId];
    await change(sleep, async (): Promise<Attempt<void>> => {
      const [trash, owner] = await kv.getMany<[TrashEntry, FileEntry]>([
        key,
        keys.file(provider, file),
      ]);
      if (!isObject(trash.value)) return { done: undefined };
      const step = kv.atomic().check(trash, owner);
      const record = isObject(owner.value) ? owner.value : undefined;
      if (record?.bucket === "") step.delete(trash.key).delete(owner.key);
      else if (record && await isNamed(kv, provider, file, record)) {
        step.delete(trash.key).set(owner.key, { ...record, state: "current" });
      } else step.set(trash.key, { ...trash.value, restoredFrom: madeAt });
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }
}

async function isNamed(
  kv: Deno.Kv,
  provider: string,
  file: FileId,
  { tenant, bucket, key }: FileEntry,
): Promise<boolean> {
  const object = await kv.get<ObjectEntry>(keys.object({ tenant, provider }, bucket, key));
  return object.value !== null && inKey(object.value.file) === inKey(file);
}
