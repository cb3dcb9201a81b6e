/** Buckets that were created, and those that exist because something is in them. */
import { keys, type Scope } from "./keys.ts";
import { change } from "./kv.ts";
import type { BucketEntry, ObjectEntry } from "./entries.ts";

/** A bucket with its name. */
export interface NamedBucket {
  readonly name: string;
  readonly createdAt: number;
}

/** The buckets' part of the catalog. */
export type BucketCatalog = ReturnType<typeof createBucketCatalog>;

/** Makes the buckets' part of the catalog. */
export function createBucketCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
) {
  return { has, create, remove, created, date, holding, holds };

  /** Returns whether a bucket was created. */
  async function has(scope: Scope, bucket: string): Promise<boolean> {
    const { value } = await kv.get<BucketEntry>(keys.bucket(scope, bucket));
    return value !== null && !value.implicit;
  }

  /** Records a bucket; one that is there, or that a list has shown, keeps its date. */
  function create(scope: Scope, bucket: string, record: BucketEntry): Promise<void> {
    return change(sleep, async () => {
      const old = await kv.get<BucketEntry>(keys.bucket(scope, bucket));
      if (old.value && !old.value.implicit) return { done: undefined };
      const { createdAt } = old.value ?? record;
      const step = kv.atomic().check(old).set(old.key, { createdAt });
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /**
   * Returns the date of a bucket that was never created, and records it the first time: from then on
   * lists show the same one, whatever the bucket holds and whichever process is asked.
   *
   * @param proposed The date where none is recorded yet.
   */
  function date(scope: Scope, bucket: string, proposed: number): Promise<number> {
    return change(sleep, async () => {
      const old = await kv.get<BucketEntry>(keys.bucket(scope, bucket));
      if (old.value) return { done: old.value.createdAt };
      const step = kv.atomic().check(old).set(old.key, { createdAt: proposed, implicit: true });
      return (await step.commit()).ok ? { done: proposed } : "again";
    });
  }

  /** Forgets a bucket that was created. */
  function remove(scope: Scope, bucket: string): Promise<void> {
    return change(sleep, async () => {
      const old = await kv.get<BucketEntry>(keys.bucket(scope, bucket));
      // Checked, so that one that comes late takes no bucket away that was created since.
      const step = kv.atomic().check(old).delete(old.key);
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /** All buckets that were created, by name; `implicit` ones are only dates. */
  async function* created(scope: Scope): AsyncGenerator<NamedBucket & BucketEntry> {
    for await (const entry of kv.list<BucketEntry>({ prefix: keys.buckets(scope) })) {
      yield { name: entry.key.at(-1) as string, ...entry.value };
    }
  }

  /**
   * All buckets that hold objects, by name, each with the time of its first object in the order of
   * keys. The cost is that of the buckets, however full they are.
   */
  async function* holding(scope: Scope): AsyncGenerator<NamedBucket> {
    const prefix = keys.bucketsWithObjects(scope);
    let start: Deno.KvKey = prefix;
    for (;;) {
      let found: NamedBucket | undefined;
      const selector = start === prefix ? { prefix } : { prefix, start };
      for await (const { key, value } of kv.list<ObjectEntry>(selector, { limit: 1 })) {
        found = { name: key[prefix.length] as string, createdAt: value.modifiedAt };
      }
      if (!found) return;
      yield found;
      start = [...prefix, `${found.name}\0`];
    }
  }

  /** Returns whether objects are in a bucket. */
  async function holds(scope: Scope, bucket: string): Promise<boolean> {
    for await (const _ of kv.list({ prefix: keys.objects(scope, bucket) }, { limit: 1 })) {
      return true;
    }
    return false;
  }
}
