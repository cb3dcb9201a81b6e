/** The life of an object: put, find, read, list, remove, and the clean-up of what is left over. */
import type { BlobStore } from "../blobs/store.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { HeldKinds } from "../catalog/held.ts";
import type { NamedObject, ObjectEntry } from "../catalog/entries.ts";
import { type Clock, trustedClock } from "../runtime/clock.ts";
import type { FileId } from "../codecs/ids.ts";
import type { ByteRange, Provider, StoringProvider } from "../providers/provider.ts";
import { type Buckets, createBuckets } from "./buckets.ts";
import { copy, type CopyRequest } from "./copy.ts";
import type { EtagForm } from "./etag_form.ts";
import { type Address, find, findNamed, type Found } from "./find.ts";
import { createKept, type KeptDeps, nothingKept } from "./kept.ts";
import { list, type ListPage, type ListRequest } from "./list.ts";
import { sweepOrphans } from "./orphans.ts";
import { createMultipart, type Multipart } from "./multipart.ts";
import { createPartSpool, type PartSpool } from "./part_spool.ts";
import type { NewObject } from "./new_object.ts";
import { put } from "./put.ts";
import { type OwnFile, putFile } from "./put_file.ts";
import { createPutQuota, type Putter } from "./put_quota.ts";
import type { PutReservation } from "../catalog/quotas.ts";
import { createStoreRoom } from "./store_room.ts";
import { read, type Readable } from "./read.ts";
import { createRegistered } from "./registered.ts";
import type { ReadSpool } from "./read_spool.ts";
import { remove, type RemoveRequest } from "./remove.ts";
import type { Reach } from "../reach/reach.ts";
import type { HeldDeps } from "./held_operations.ts";
import { emptyTrash, sweepTrash } from "./trash.ts";
import { createUploadMarks } from "./upload_marks.ts";

/** Dependencies of objects. */
export interface ObjectDeps {
  readonly catalog: Catalog;
  readonly providers: ReadonlyMap<string, Provider>;
  /** Milliseconds since 1970, for what clients see. */
  readonly now: () => number;
  /** Durations, leases, and what expires; `now` is trusted with all of it where absent. */
  readonly clock?: Clock;
  readonly random: () => number;
  /** Waits so many milliseconds; no time passes where absent. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
  /** The id of this gateway process. */
  readonly instance: string;
  /** Where ranges of files are read whose provider ignores ranges; without it, each is fetched by itself. */
  readonly reads?: ReadSpool;
  /** Whether a bucket shows native files. */
  readonly showsNative: (reach: Reach, bucket: string) => boolean;
  /** The form of ETags that objects put into a bucket get; files' ids where absent. */
  readonly etagForm?: (reach: Reach, bucket: string) => EtagForm;
  /** Whether any allowed name is a bucket without being created; true where absent. */
  readonly implicitBuckets?: boolean;
  /** Where results are kept beyond the time that providers keep them; nowhere where absent. */
  readonly resultStore?: BlobStore;
  /** Which objects the gateway keeps itself, and where; none where absent. */
  readonly kept?: Omit<KeptDeps, "copies" | "randomBytes">;
  /** Bytes that kept objects may have together, shared by tenants; without a bound where absent. */
  readonly storeBytes?: number | undefined;
  /** Throws `unavailable` where the catalog could not keep what is put. */
  readonly checkRoom?: () => Promise<void>;
  /** Where parts of uploads wait; a temporary folder where absent. */
  readonly parts?: PartSpool;
  /** Fills an array with random bytes; the system's where absent. */
  readonly randomBytes?: (bytes: Uint8Array) => Uint8Array;
  /** Whether the catalog is one that may have been set back to an earlier moment unnoticed. */
  readonly mayBeSetBack?: boolean;
  /** Called for work that failed behind an answer and is left to the sweep. */
  readonly postponed: (what: string, error: unknown) => void;
}

/** Counts the bytes of puts that another service records. */
export interface ForwardedPuts {
  /** Reserves bytes; undefined where there is no limit. Throws `denied` where there is no room. */
  reserve(putter: Putter, bytes: number): Promise<PutReservation | undefined>;
  /** Counts them: the service has acknowledged the put. */
  count(put: PutReservation): Promise<void>;
  /** Gives them back. */
  giveBack(put: PutReservation): Promise<void>;
}

/** The service that the routes and jobs use. */
export interface Objects {
  readonly buckets: Buckets;
  readonly multipart: Multipart;
  /** Counts the bytes of puts that are forwarded. */
  readonly quota: ForwardedPuts;
  put(reach: Reach, object: NewObject, signal: AbortSignal): Promise<ObjectEntry>;
  /** Stores a provider file that is not an object. */
  putFile(file: OwnFile, signal: AbortSignal): Promise<void>;
  find(reach: Reach, address: Address, signal: AbortSignal): Promise<Found | undefined>;
  /** The form of ETags that objects put into a bucket get. */
  etagForm(reach: Reach, bucket: string): EtagForm;
  /** Finds what a text stands for: a provider file's id or, in the bucket, an ETag. */
  findFile(
    reach: Reach,
    text: string,
    signal: AbortSignal,
    bucket?: string,
  ): Promise<Found | undefined>;
  read(
    reach: Reach,
    found: Readable,
    range: ByteRange | undefined,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;
  list(reach: Reach, request: ListRequest, signal: AbortSignal): Promise<ListPage>;
  remove(reach: Reach, request: RemoveRequest, signal: AbortSignal): Promise<void>;
  /** Copies an object within its provider. */
  copy(reach: Reach, request: CopyRequest, signal: AbortSignal): Promise<ObjectEntry>;
  /** A job that read this file is over: the file goes if no object names it any more. */
  release(provider: StoringProvider, file: FileId, signal: AbortSignal): Promise<void>;
  /** Notes beside the blob of results what they are, where they are in the store of kept objects. */
  label(results: NamedObject, signal: AbortSignal): Promise<void>;
  /** Returns where blobs are that a job writes to the store of kept objects. */
  storedIn(): Promise<Omit<HeldKinds["store"], "blob">>;
  /** Deletes what failures and dead processes left; those last seen before `deadline` are dead. */
  sweep(deadline: number, signal: AbortSignal): Promise<void>;
  /** Whether no file of this process can be at a provider that the catalog does not know. */
  leftNothing(): boolean;
}

/**
 * Makes the service.
 *
 * It is long as a composition is: it makes each dependency of the operations on objects once.
 */
export function createObjects(deps: ObjectDeps): Objects {
  const { catalog, now, random, showsNative, postponed, clock = trustedClock(deps.now) } = deps;
  const { objects, links } = catalog;
  const randomBytes = deps.randomBytes ??
    ((bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>));
  const { copies } = catalog;
  const kept = createKept({ ...(deps.kept ?? nothingKept), copies, randomBytes });
  const held: HeldDeps = {
    kept,
    catalog: catalog.results,
    ...(deps.reads && { reads: deps.reads }),
    ...(deps.resultStore && { store: deps.resultStore }),
  };
  const finding = { catalog: objects, now: clock.due };
  const reading = {
    catalog: objects,
    held,
    ...(deps.sleep && { sleep: deps.sleep }),
  };
  const removing = { ...finding, links, held };
  const etagForm = deps.etagForm ?? (() => "file" as const);
  const copying = { ...removing, clock, postponed, etagForm };
  const uploads = createUploadMarks(deps.instance, clock.uptime);
  /** Since the first sweep, with which this process says that it lives. */
  let hearingSince: number | undefined;
  const registered = createRegistered(catalog.instances, deps.instance);
  const { recordIds, quotas } = catalog;
  const { instance } = deps;
  const storeRoom = createStoreRoom({ most: deps.storeBytes, copies, uptime: clock.uptime });
  const quota = createPutQuota({ quotas, registered, instance, randomBytes, now, postponed });
  const putting = {
    catalog: objects,
    held,
    recordIds,
    now,
    clock,
    checkRoom: deps.checkRoom ?? (() => Promise.resolve()),
    random,
    etagForm,
    postponed,
    quota,
    storeRoom,
    uploads,
    registered,
  };
  const listing = { catalog: objects, memory: deps.catalog.memory, clock, showsNative };
  const multipart = createMultipart({
    catalog: catalog.uploads,
    spool: deps.parts ?? createPartSpool(),
    now,
    clock,
    randomBytes,
    keeps: kept.keep !== "never",
    instance: deps.instance,
    quota,
    // Its bytes were counted as parts.
    put: ({ limits: _, ...reach }, object, signal) => put(putting, reach, object, signal),
    postponed,
  });
  return {
    quota: {
      reserve: quota.reserve,
      count: quotas.countPut,
      giveBack: quotas.releasePut,
    },
    multipart,
    buckets: createBuckets({
      catalog: catalog.buckets,
      now,
      implicit: deps.implicitBuckets ?? true,
      abortUploads: multipart.abortAll,
    }),
    put: (reach, object, signal) => put(putting, reach, object, signal),
    putFile: (file, signal) => putFile(putting, file, signal),
    find: (reach, address, signal) => find(finding, reach, address, signal),
    etagForm,
    findFile: (reach, text, signal, bucket) => findNamed(finding, reach, bucket, [text], signal),
    read: (reach, found, range, signal) => read(reading, reach, found, range, signal),
    list: (reach, request, signal) => list(listing, reach, request, signal),
    remove: (reach, request, signal) => remove(removing, reach, request, signal),
    copy: (reach, request, signal) => copy(copying, reach, request, signal),
    release: (provider, file, signal) =>
      emptyTrash({ catalog: objects, held }, provider, file, signal),
    label: kept.label,
    storedIn: kept.storedIn,
    async sweep(deadline, signal) {
      const { providers } = deps;
      const postponing = (what: string) => (provider: string, error: unknown) =>
        postponed(`${what} of ${provider}`, error);
      if (clock.isConfirmed()) {
        // First, for it makes room on a full disk; what it cannot do keeps nothing else waiting.
        await multipart.sweep(signal)
          .catch((error: unknown) => postponed("what uploads in parts left", error));
      }
      await storeRoom.measure(signal)
        .catch((error: unknown) => postponed("the count of kept objects", error));
      await quotas.sweepPuts(signal)
        .catch((error: unknown) => postponed("the bytes that dead processes reserved", error));
      if (clock.isConfirmed()) await catalog.expiry.forgetExpired(clock.due(), signal);
      const trash = { catalog: objects, held };
      await sweepTrash(trash, providers, signal, postponing("a file in the trash"));
      const failed = postponing("the search for lost files");
      const sweeping = { catalog, providers, kept, uploads, failed };
      if (deps.mayBeSetBack) hearingSince ??= clock.latest();
      const hearing = hearingSince !== undefined && { hearingSince };
      await sweepOrphans({ ...sweeping, ...hearing }, deadline, signal);
    },
    leftNothing: uploads.leftNothing,
  };
}
