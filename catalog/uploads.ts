/**
 * Uploads in parts: the uploads, their parts, and who is making an object of one.
 *
 * A part is recorded after its file is on disk, and only while its upload is open; an upload is
 * taken away before its parts and files are. So whatever a crash leaves is a part, or a file, whose
 * upload is no more.
 */
import { Failure } from "../codecs/failure.ts";
import { keys, maxBatch, type Scope } from "./keys.ts";
import { type Attempt, change } from "./kv.ts";
import { isHeld, leaseAt } from "./leases.ts";
import type { Lease } from "../runtime/lease.ts";
import { endPut, inTurn, type PutReservation } from "./quotas.ts";
import type { CompletedEntry, LeaseEntry, PartEntry, UploadEntry } from "./entries.ts";

/** Which upload. */
export interface UploadAddress {
  readonly scope: Scope;
  readonly bucket: string;
  readonly key: string;
  readonly id: string;
}

/** An upload with its name. */
export interface NamedUpload extends UploadAddress {
  readonly record: UploadEntry;
}

/** A part with its number. */
export interface NumberedPart extends PartEntry {
  readonly number: number;
}

/** The uploads' part of the catalog. */
export type UploadCatalog = ReturnType<typeof createUploadCatalog>;

const utf8 = new TextDecoder();
/** Keys deleted in one step, well below the 1,000 mutations that Deno KV takes. */
const deletedAtOnce = 500;

/** Makes the uploads' part of the catalog. */
export function createUploadCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
) {
  return {
    create,
    get,
    bytes,
    range,
    all,
    setPart,
    part,
    parts,
    partOwners,
    forgetParts,
    lease,
    finish,
    remove,
    completed,
    forgetCompleted,
  };

  /** Opens an upload. */
  function create(address: UploadAddress, record: UploadEntry): Promise<void> {
    return change(sleep, async () => {
      await kv.set(keyOf(address), record);
      return { done: undefined };
    });
  }

  /** An open upload. */
  async function get(address: UploadAddress): Promise<UploadEntry | undefined> {
    return (await kv.get<UploadEntry>(keyOf(address))).value ?? undefined;
  }

  /** Bytes of all parts of an upload. */
  async function bytes(id: string): Promise<number> {
    return Number((await kv.get<Deno.KvU64>(keys.uploadBytes(id))).value?.value ?? 0n);
  }

  /**
   * Open uploads of a bucket from a position on (bytes of a key, and perhaps the id after which to
   * begin at just that key), by key and then by id.
   */
  async function* range(
    scope: Scope,
    bucket: string,
    from: Uint8Array,
    afterId?: string,
  ): AsyncGenerator<NamedUpload> {
    const at = keys.uploadAt(scope, bucket, from);
    const start = afterId === undefined ? at : [...at, `${afterId}\0`];
    const prefix = keys.uploads(scope, bucket);
    for await (const entry of kv.list<UploadEntry>({ prefix, start })) yield named(entry);
  }

  /** Every open upload of every tenant. */
  async function* all(): AsyncGenerator<NamedUpload> {
    for await (const entry of kv.list<UploadEntry>({ prefix: keys.allUploads() })) {
      yield named(entry);
    }
  }

  /**
   * Records a part, in the place of one that had its number.
   *
   * Throws `not-found`, NoSuchUpload, where the upload is no more, `conflict` where it is just being
   * completed, and what `accept` throws.
   *
   * @param accept Gets the bytes of all parts as they would be.
   * @param counted Bytes that were reserved for it, and are to be counted.
   * @returns The part that was replaced.
   */
  function setPart(
    address: UploadAddress,
    number: number,
    part: PartEntry,
    now: number,
    accept: (bytes: number) => void,
    counted?: PutReservation,
  ): Promise<PartEntry | undefined> {
    const attempt = async (): Promise<Attempt<PartEntry | undefined>> => {
      const { id } = address;
      const [upload, completing, old, sum] = await kv.getMany<
        [UploadEntry, LeaseEntry, PartEntry, Deno.KvU64]
      >([keyOf(address), keys.completing(id), keys.part(id, number), keys.uploadBytes(id)]);
      if (!upload.value) throw noSuchUpload(id);
      // Over KV Connect a step may be applied and still answer "not ok": this is our own record.
      if (old.value?.file === part.file) return { done: undefined };
      if (isHeld(completing.value, now)) throw beingCompleted();
      const more = part.bytes - (old.value?.bytes ?? 0);
      accept(Number(sum.value?.value ?? 0n) + more);
      const step = kv.atomic().check(upload).check(completing).check(old)
        .set(old.key, part)
        // A sum wraps around, so that adding 2^64 - n takes n away; the checks keep it exact.
        .sum(keys.uploadBytes(id), BigInt.asUintN(64, BigInt(more)));
      if (counted) await endPut(kv, step, counted);
      return (await step.commit()).ok ? { done: old.value ?? undefined } : "again";
    };
    return inTurn(kv, counted, () => change(sleep, attempt));
  }

  /** A part of this number. */
  async function part(id: string, number: number): Promise<PartEntry | undefined> {
    return (await kv.get<PartEntry>(keys.part(id, number))).value ?? undefined;
  }

  /** The first parts after a number, in their order. */
  async function parts(id: string, after: number, limit: number): Promise<NumberedPart[]> {
    const found: NumberedPart[] = [];
    const selector = { prefix: keys.parts(id), start: keys.part(id, after + 1) };
    const options = { limit, batchSize: Math.min(limit, maxBatch) };
    for await (const { key, value } of kv.list<PartEntry>(selector, options)) {
      found.push({ ...value, number: key.at(-1) as number });
    }
    return found;
  }

  /**
   * The ids of all uploads that have parts. The cost is that of the uploads, however many parts.
   */
  async function* partOwners(): AsyncGenerator<string> {
    const prefix = keys.allParts();
    let start: Deno.KvKey = prefix;
    for (;;) {
      let id: string | undefined;
      const selector = start === prefix ? { prefix } : { prefix, start };
      for await (const { key } of kv.list(selector, { limit: 1 })) id = key[1] as string;
      if (id === undefined) return;
      yield id;
      start = keys.parts(`${id}\0`);
    }
  }

  /** Forgets all parts of an upload that is no more. */
  async function forgetParts(id: string): Promise<void> {
    let found: Deno.KvKey[];
    do {
      found = [];
      const options = { limit: deletedAtOnce, batchSize: deletedAtOnce };
      for await (const { key } of kv.list({ prefix: keys.parts(id) }, options)) found.push(key);
      const gone = found;
      await change(sleep, async () => {
        const step = kv.atomic();
        for (const key of gone) step.delete(key);
        return (await step.commit()).ok ? { done: undefined } : "again";
      });
    } while (found.length === deletedAtOnce);
  }

  /** The lease of completing an upload, if it is there. While it is held no part comes or goes. */
  function lease(address: UploadAddress): Lease {
    return leaseAt(kv, sleep, keys.completing(address.id), keyOf(address));
  }

  /** Closes an upload that became an object, and remembers what it became. */
  function finish(address: UploadAddress, record: CompletedEntry): Promise<void> {
    return change(sleep, async () => {
      const { id } = address;
      const upload = await kv.get<UploadEntry>(keyOf(address));
      if (!upload.value) return { done: undefined };
      const step = kv.atomic().check(upload)
        .delete(upload.key)
        .delete(keys.completing(id))
        .delete(keys.uploadBytes(id))
        .set(keys.completed(id), record);
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /**
   * Closes an upload without an object; its parts are the caller's to forget. Throws `conflict`
   * where it is just being completed.
   *
   * @returns Whether there was one.
   */
  function remove(address: UploadAddress, now: number): Promise<boolean> {
    return change(sleep, async () => {
      const { id } = address;
      const [upload, completing] = await kv.getMany<[UploadEntry, LeaseEntry]>([
        keyOf(address),
        keys.completing(id),
      ]);
      if (!upload.value) return { done: false };
      if (isHeld(completing.value, now)) throw beingCompleted();
      const step = kv.atomic().check(upload).check(completing)
        .delete(upload.key)
        .delete(completing.key)
        .delete(keys.uploadBytes(id));
      return (await step.commit()).ok ? { done: true } : "again";
    });
  }

  /** Returns what an upload became. */
  async function completed(id: string): Promise<CompletedEntry | undefined> {
    return (await kv.get<CompletedEntry>(keys.completed(id))).value ?? undefined;
  }

  /** Forgets what uploads became that were completed before a time. */
  async function forgetCompleted(before: number): Promise<void> {
    for await (const entry of kv.list<CompletedEntry>({ prefix: keys.allCompleted() })) {
      if (entry.value.completedAt >= before) continue;
      await change(sleep, async () => {
        await kv.delete(entry.key);
        return { done: undefined };
      });
    }
  }
}

/** Makes the failure that S3 answers for an upload that is unknown, aborted or completed. */
export function noSuchUpload(id: string): Failure {
  return new Failure(
    "not-found",
    "The upload does not exist. It was never created for this key, or it was completed, aborted or " +
      "given up; create a new one",
    { s3: "NoSuchUpload", fields: { UploadId: id } },
  );
}

function beingCompleted(): Failure {
  return new Failure("conflict", "The upload is just being completed; wait for its answer", {
    retryAfterSeconds: 5,
  });
}

function keyOf({ scope, bucket, key, id }: UploadAddress): Deno.KvKey {
  return keys.upload(scope, bucket, key, id);
}

function named({ key: at, value }: Deno.KvEntry<UploadEntry>): NamedUpload {
  const [, tenant, provider, bucket, key, id] = at as unknown as [
    string,
    string,
    string,
    string,
    Uint8Array,
    string,
  ];
  return { scope: { tenant, provider }, bucket, key: utf8.decode(key), id, record: value };
}
