/** Objects by name, the provider files behind them, and the files that wait to be deleted. */
import { Failure } from "../codecs/failure.ts";
import type { FileId } from "../codecs/ids.ts";
import { isTagged } from "../codecs/etag.ts";
import { addEtag, dropEtag, newestOfEtag } from "./etags.ts";
import { addCopy } from "./copies.ts";
import { writeExpiry } from "./expiry_index.ts";
import type { Registration } from "./instances.ts";
import { keys, maxBatch, type Scope } from "./keys.ts";
import { type Attempt, change, readAll } from "./kv.ts";
import { dropName, furtherNamesOf, type Name, nameFile, throwAway } from "./names.ts";
import type { FileEntry, ObjectEntry, TrashEntry } from "./entries.ts";
import type { Held } from "./held.ts";
import { endPut, inTurn, type PutReservation } from "./quotas.ts";
import { forgetCuts } from "./results.ts";

/** An object with its name. */
export interface NamedObject {
  readonly key: string;
  readonly record: ObjectEntry;
}

/** A provider file in the trash. */
export interface Trashed extends TrashEntry {
  readonly provider: string;
  readonly file: FileId;
}

/** What must hold for a write to happen. */
export interface WriteCondition {
  /** The key must be free. */
  readonly absent?: boolean;
  /** The key must name one of these, ids of files or ETags; an empty list takes any. */
  readonly files?: readonly string[];
  /** The key must name none of these, ids of files or ETags. */
  readonly notFiles?: readonly string[];
}

/** How an object is recorded. */
export interface Recording {
  /** That of the process which uploaded the file, from before it did. */
  readonly registration?: Registration;
  /** Whether the file was native before, and keeps its id as a name. */
  readonly isNative?: boolean;
  /** Bytes that were reserved for it, and are to be counted. */
  readonly counted?: PutReservation | undefined;
}

/** The objects' part of the catalog. */
export type ObjectCatalog = ReturnType<typeof createObjectCatalog>;

const utf8 = new TextDecoder();

/** Makes the objects' part of the catalog. */
export function createObjectCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
) {
  return {
    get,
    set,
    remove,
    drop,
    range,
    ofEtag,
    file,
    names,
    claim,
    resultOf,
    known,
    hidden,
    trash,
    trashed,
    forget,
    hasUses,
  };

  /** The object of this name, expired or not. */
  async function get(scope: Scope, bucket: string, key: string): Promise<ObjectEntry | undefined> {
    return (await kv.get<ObjectEntry>(keys.object(scope, bucket, key))).value ?? undefined;
  }

  /**
   * Records an object under its name. The file that the name stood for until now goes to the trash
   * in the same step, unless it has another name.
   *
   * A service that stores by content answers with the id of a file that it has already: the file then
   * gets a further name. Throws `unavailable` where that file is being deleted.
   *
   * Throws `unavailable` where the registration has ended.
   *
   * @returns The file that was replaced.
   */
  function set(
    scope: Scope,
    bucket: string,
    key: string,
    record: ObjectEntry,
    condition: WriteCondition = {},
    { registration, isNative = false, counted }: Recording = {},
  ): Promise<ObjectEntry | undefined> {
    let wasTried = false;
    const attempt = async (): Promise<Attempt<ObjectEntry | undefined>> => {
      const at = keys.object(scope, bucket, key);
      const asFile = kv.get<FileEntry>(keys.file(scope.provider, record.file));
      const [old, file] = await Promise.all([kv.get<ObjectEntry>(at), asFile]);
      // Over KV Connect a step may be applied and still answer "not ok": this is our own record.
      const isSame = old.value?.file === record.file;
      if (isSame && JSON.stringify(old.value) === JSON.stringify(record)) {
        return { done: undefined };
      }
      checkWrite(old.value, condition, key, record.modifiedAt);
      if (registration && wasTried) await checkRegistration(registration);
      wasTried = true;
      const step = kv.atomic().check(old).set(at, record);
      const name = { tenant: scope.tenant, bucket, key };
      await nameFile(kv, step, scope.provider, record, name, isNative, file);
      if (registration) step.check(registration);
      if (counted) await endPut(kv, step, counted);
      writeExpiry(step, scope.provider, record);
      addCopy(step, scope.provider, record);
      dropEtag(step, scope, name, old.value);
      addEtag(step, scope, name, record);
      if (old.value && !isSame) {
        const loss = await dropName(kv, step, scope.provider, old.value.file, name);
        if (loss === "last") throwAway(step, scope.provider, old.value, name);
      }
      if (!(await step.commit()).ok) return "again";
      return { done: isSame ? undefined : old.value ?? undefined };
    };
    return inTurn(kv, counted, () => change(sleep, attempt));
  }

  async function checkRegistration({ key, versionstamp }: Registration): Promise<void> {
    if ((await kv.get(key)).versionstamp !== versionstamp) throw expelled();
  }

  /**
   * Takes a name away if it still stands for this file.
   *
   * @param keep Whether the file is still at the provider and goes to the trash if it has no other
   * name.
   */
  function remove(
    scope: Scope,
    bucket: string,
    key: string,
    record: Pick<ObjectEntry, "file" | "held">,
    keep: "trash" | "gone",
  ): Promise<void> {
    if (keep === "gone") return drop(scope, bucket, key, record.file, record.held.in);
    const thrown = (step: Deno.AtomicOperation, name: Name) =>
      throwAway(step, scope.provider, record, name);
    return take(scope, bucket, key, record.file, thrown);
  }

  /** Takes a name away whose file, or whatever else held its bytes, is gone. */
  function drop(
    scope: Scope,
    bucket: string,
    key: string,
    file: FileId,
    place: Held["in"],
  ): Promise<void> {
    return take(scope, bucket, key, file, async (step) => {
      step.delete(keys.file(scope.provider, file)).delete(keys.trashed(scope.provider, file));
      if (place === "batch") await forgetCuts(kv, step, scope.provider, file);
    });
  }

  function take(
    scope: Scope,
    bucket: string,
    key: string,
    file: FileId,
    last: (step: Deno.AtomicOperation, name: Name) => void | Promise<void>,
  ): Promise<void> {
    return change(sleep, async () => {
      const old = await kv.get<ObjectEntry>(keys.object(scope, bucket, key));
      const step = kv.atomic().check(old);
      const name = { tenant: scope.tenant, bucket, key };
      if (old.value?.file === file) {
        step.delete(old.key);
        dropEtag(step, scope, name, old.value);
      }
      if (await dropName(kv, step, scope.provider, file, name) === "last") await last(step, name);
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
    const start = keys.objectAt(scope, bucket, from);
    const selector = before
      ? { start, end: keys.objectAt(scope, bucket, before) }
      : { start, prefix: keys.objects(scope, bucket) };
    const found: NamedObject[] = [];
    const options = { limit, batchSize: Math.min(limit, maxBatch) };
    for await (const entry of kv.list<ObjectEntry>(selector, options)) {
      found.push({ key: utf8.decode(entry.key.at(-1) as Uint8Array), record: entry.value });
    }
    return found;
  }

  /** The newest object of a bucket that has an ETag which is not its file's id. */
  function ofEtag(
    scope: Scope,
    bucket: string,
    etag: string,
    accepts: (record: ObjectEntry) => boolean,
  ): Promise<NamedObject | undefined> {
    return newestOfEtag(kv, scope, bucket, etag, accepts);
  }

  /** Returns who put a provider file; undefined for a native one. */
  async function file(provider: string, id: FileId): Promise<FileEntry | undefined> {
    return (await kv.get<FileEntry>(keys.file(provider, id))).value ?? undefined;
  }

  /** Yields a tenant's names of a provider file: the first that it gave, then any others. */
  async function* names(provider: string, id: FileId, tenant: string): AsyncGenerator<Name> {
    const first = await file(provider, id);
    if (!first || first.state === "trash") return;
    if (first.tenant === tenant) yield first;
    yield* furtherNamesOf(kv, provider, id, tenant);
  }

  /**
   * Puts a file that has no name at all into the trash, so that no put can name it any more. False
   * for a file that has a name: it is not the caller's to delete.
   */
  function claim(provider: string, id: FileId, account: string): Promise<boolean> {
    return change(sleep, async () => {
      const entry = await kv.get<FileEntry>(keys.file(provider, id));
      if (entry.value) return { done: entry.value.state === "trash" && entry.value.bucket === "" };
      const step = kv.atomic().check(entry);
      throwAway(step, provider, { file: id, held: { in: "provider", file: id, account } }, {
        tenant: "",
        bucket: "",
        key: "",
      });
      return (await step.commit()).ok ? { done: true } : "again";
    });
  }

  /** The tenant whose job a provider file is a result of; undefined for any other file. */
  async function resultOf(provider: string, id: FileId): Promise<string | undefined> {
    return (await kv.get<string>(keys.resultFile(provider, id))).value ?? undefined;
  }

  /** Returns which of these files were put through the gateway. */
  async function known(provider: string, ids: readonly FileId[]): Promise<Set<FileId>> {
    const owners = await readAll<FileEntry>(kv, ids.map((id) => keys.file(provider, id)));
    return new Set(ids.filter((_, at) => owners[at] !== undefined));
  }

  /** Returns which of these files no list of native files shows. */
  async function hidden(provider: string, ids: readonly FileId[]): Promise<Set<FileId>> {
    const owners = await readAll<FileEntry>(kv, ids.map((id) => keys.file(provider, id)));
    return new Set(ids.filter((_, at) => owners[at] !== undefined && !owners[at]?.native));
  }

  /** Everything that waits to be deleted at a provider. */
  async function* trash(): AsyncGenerator<Trashed> {
    for await (const entry of kv.list<TrashEntry>({ prefix: keys.trash() })) {
      const [, provider, id] = entry.key as [string, string, FileId];
      yield { ...entry.value, provider, file: entry.value.id ?? id };
    }
  }

  /** Returns the entry of a provider file that waits to be deleted; undefined for any other. */
  async function trashed(provider: string, id: FileId): Promise<TrashEntry | undefined> {
    return (await kv.get<TrashEntry>(keys.trashed(provider, id))).value ?? undefined;
  }

  /** Forgets a file that is no longer at the provider, with its last name if it still has it. */
  function forget(provider: string, id: FileId): Promise<void> {
    return change(sleep, async () => {
      const entry = await kv.get<FileEntry>(keys.file(provider, id));
      const step = kv.atomic().check(entry).delete(entry.key).delete(keys.trashed(provider, id));
      if (entry.value) {
        const { tenant, bucket, key } = entry.value;
        const named = await kv.get<ObjectEntry>(keys.object({ tenant, provider }, bucket, key));
        if (named.value?.file === id) {
          step.check(named).delete(named.key);
          dropEtag(step, { tenant, provider }, entry.value, named.value);
        }
      }
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /** Returns whether a running job, or one that is being created, reads the file. */
  async function hasUses(provider: string, id: FileId): Promise<boolean> {
    for await (const _ of kv.list({ prefix: keys.uses(provider, id) }, { limit: 1 })) return true;
    return false;
  }
}

function expelled(): Failure {
  return new Failure(
    "unavailable",
    "The gateway was out of reach of its catalog for too long while it stored the object. Send it " +
      "again",
    { retryAfterSeconds: 1 },
  );
}

/**
 * Says whether a write's condition holds for what its name stands for; an object that has expired
 * does not count. Throws `precondition`, or `not-found` where there must be an object.
 *
 * @param now Milliseconds since 1970.
 */
export function checkWrite(
  recorded: ObjectEntry | null,
  condition: WriteCondition,
  key: string,
  now: number,
): void {
  const isGone = recorded?.expiresAt !== undefined && recorded.expiresAt <= now;
  const old = isGone ? null : recorded;
  if (condition.absent && old) {
    throw new Failure(
      "precondition",
      "An object of this name exists already, and If-None-Match asks that none does",
      { fields: { Condition: "If-None-Match", Key: key } },
    );
  }
  if (old && condition.notFiles && isTagged(old, condition.notFiles)) {
    throw new Failure("precondition", "The object is one that If-None-Match names", {
      fields: { Condition: "If-None-Match", Key: key },
    });
  }
  if (!condition.files) return;
  if (!old) {
    throw new Failure("not-found", "The specified key does not exist", { fields: { Key: key } });
  }
  if (condition.files.length > 0 && !isTagged(old, condition.files)) {
    throw new Failure("precondition", "The object is not the one that If-Match names", {
      fields: { Condition: "If-Match", Key: key },
    });
  }
}
