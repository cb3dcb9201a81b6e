/** Objects by name, the provider files behind them, and the files that wait to be deleted. */
import { Failure } from "../codecs/failure.ts";
import type { FileId, JobId } from "../codecs/ids.ts";
import { keys, type Scope } from "./keys.ts";
import { change } from "./kv.ts";
import type { FileRecord, ObjectRecord, TrashRecord } from "./records.ts";

/** An object with its name. */
export interface NamedObject {
  readonly key: string;
  readonly record: ObjectRecord;
}

/** A provider file in the trash. */
export interface Trashed extends TrashRecord {
  readonly provider: string;
  readonly file: FileId;
}

/** What must hold for a write to happen. */
export interface WriteCondition {
  /** The key must be free. */
  readonly absent?: boolean;
  /** The key must name one of these files; an empty list takes any. */
  readonly files?: readonly string[];
}

/** The objects' part of the catalog. */
export type ObjectCatalog = ReturnType<typeof createObjectCatalog>;

const utf8 = new TextDecoder();

/** Makes the objects' part of the catalog. */
export function createObjectCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
) {
  return { get, set, remove, range, file, known, trash, trashed, forget, hasUses };

  /** The object of this name, expired or not. */
  async function get(scope: Scope, bucket: string, key: string): Promise<ObjectRecord | undefined> {
    return (await kv.get<ObjectRecord>(keys.object(scope, bucket, key))).value ?? undefined;
  }

  /**
   * Records an object under its name. The file that the name stood for until now goes to the trash
   * in the same step.
   *
   * @returns The file that was replaced.
   */
  function set(
    scope: Scope,
    bucket: string,
    key: string,
    record: ObjectRecord,
    condition: WriteCondition = {},
  ): Promise<ObjectRecord | undefined> {
    return change(sleep, async () => {
      const at = keys.object(scope, bucket, key);
      const old = await kv.get<ObjectRecord>(at);
      const gone = old.value?.expiresAt !== undefined && old.value.expiresAt <= record.modifiedAt;
      checkCondition(gone ? null : old.value, condition, key);
      const owner = { tenant: scope.tenant, bucket, key, account: record.account };
      const step = kv.atomic().check(old)
        .set(at, record)
        .set(keys.file(scope.provider, record.file), { ...owner, state: "current" });
      if (old.value && old.value.file !== record.file) {
        throwAway(step, scope.provider, old.value, { ...owner, account: old.value.account });
      }
      return (await step.commit()).ok ? { done: old.value ?? undefined } : "again";
    });
  }

  /**
   * Takes a name away if it still stands for this file.
   *
   * @param keep Whether the file is still at the provider and goes to the trash.
   */
  function remove(
    scope: Scope,
    bucket: string,
    key: string,
    record: ObjectRecord,
    keep: "trash" | "gone",
  ): Promise<void> {
    return change(sleep, async () => {
      const old = await kv.get<ObjectRecord>(keys.object(scope, bucket, key));
      const step = kv.atomic().check(old);
      if (old.value?.file === record.file) step.delete(old.key);
      if (keep === "gone") {
        step.delete(keys.file(scope.provider, record.file))
          .delete(keys.trashed(scope.provider, record.file));
      } else {
        const owner = { tenant: scope.tenant, bucket, key, account: record.account };
        throwAway(step, scope.provider, record, owner);
      }
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /** The first objects of a bucket from a position on (both as bytes of keys), in byte order. */
  async function range(
    scope: Scope,
    bucket: string,
    from: Uint8Array,
    before: Uint8Array | undefined,
    limit: number,
  ): Promise<NamedObject[]> {
    const prefix = keys.objects(scope, bucket);
    const start = [...prefix, from];
    const selector = before ? { start, end: [...prefix, before] } : { prefix, start };
    const found: NamedObject[] = [];
    // One batch holds at most 500 entries; a larger size is refused over KV Connect.
    const options = { limit, batchSize: Math.min(limit, 500) };
    for await (const entry of kv.list<ObjectRecord>(selector, options)) {
      found.push({ key: utf8.decode(entry.key.at(-1) as Uint8Array), record: entry.value });
    }
    return found;
  }

  /** Who put a provider file; undefined for one that was put by other means. */
  async function file(provider: string, id: FileId): Promise<FileRecord | undefined> {
    return (await kv.get<FileRecord>(keys.file(provider, id))).value ?? undefined;
  }

  /** Which of these files were put through the gateway. */
  async function known(provider: string, ids: readonly FileId[]): Promise<Set<FileId>> {
    const found = new Set<FileId>();
    const sorted = [...ids].sort();
    const [first, last] = [sorted[0], sorted.at(-1)];
    if (first === undefined || last === undefined) return found;
    const wanted = new Set(ids);
    // One scan over the range that the ids span is far cheaper than a read for each of thousands.
    const selector = {
      start: keys.file(provider, first),
      end: keys.file(provider, `${last}\0` as FileId),
    };
    for await (const entry of kv.list(selector)) {
      const id = entry.key.at(-1) as FileId;
      if (wanted.has(id)) found.add(id);
    }
    return found;
  }

  /** Everything that waits to be deleted at a provider. */
  async function* trash(): AsyncGenerator<Trashed> {
    for await (const entry of kv.list<TrashRecord>({ prefix: keys.trash() })) {
      const [, provider, id] = entry.key as [string, string, FileId];
      yield { ...entry.value, provider, file: id };
    }
  }

  /** Whether a provider file waits to be deleted. */
  async function trashed(provider: string, id: FileId): Promise<TrashRecord | undefined> {
    return (await kv.get<TrashRecord>(keys.trashed(provider, id))).value ?? undefined;
  }

  /** Forgets a file that is no longer at the provider. */
  function forget(provider: string, id: FileId): Promise<void> {
    return change(sleep, async () => {
      const step = kv.atomic().delete(keys.file(provider, id)).delete(keys.trashed(provider, id));
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /** Whether a running job other than this one reads the file. */
  async function hasUses(provider: string, id: FileId, except?: JobId): Promise<boolean> {
    for await (const entry of kv.list({ prefix: keys.uses(provider, id) }, { limit: 2 })) {
      if (entry.key.at(-1) !== except) return true;
    }
    return false;
  }

  function throwAway(
    step: Deno.AtomicOperation,
    provider: string,
    old: ObjectRecord,
    owner: Omit<FileRecord, "state">,
  ): void {
    const trash: TrashRecord = { account: old.account };
    step.set(keys.trashed(provider, old.file), trash)
      .set(keys.file(provider, old.file), { ...owner, state: "trash" });
  }
}

function checkCondition(
  old: ObjectRecord | null,
  condition: WriteCondition,
  key: string,
): void {
  if (condition.absent && old) {
    throw new Failure(
      "precondition",
      "An object of this name exists already, and If-None-Match asks that none does",
      { fields: { Condition: "If-None-Match", Key: key } },
    );
  }
  if (!condition.files) return;
  if (!old) {
    throw new Failure("not-found", "The specified key does not exist", { fields: { Key: key } });
  }
  if (condition.files.length > 0 && !condition.files.includes(old.file)) {
    throw new Failure("precondition", "The object is not the one that If-Match names", {
      fields: { Condition: "If-Match", Key: key },
    });
  }
}
