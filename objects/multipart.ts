/** Uploads in parts: open, take parts, list, abort; `complete.ts` makes an object of one. */
import type { ObjectEntry, PartEntry, UploadEntry } from "../catalog/entries.ts";
import {
  noSuchUpload,
  type NumberedPart,
  type UploadAddress,
  type UploadCatalog,
} from "../catalog/uploads.ts";
import type { Clock } from "../runtime/clock.ts";
import { Failure } from "../codecs/failure.ts";
import { randomId } from "../codecs/ids.ts";
import { cancelUnread } from "../runtime/unread.ts";
import { type CompleteRequest, createCompletion } from "./complete.ts";
import { giveUp } from "./give_up.ts";
import { checkDisk } from "./part_disk.ts";
import { checkDeclared } from "./holder.ts";
import type { PutReservation } from "../catalog/quotas.ts";
import type { PutQuota, Putter } from "./put_quota.ts";
import { listUploads, type UploadListRequest, type UploadPage } from "./list_uploads.ts";
import type { PartSpool } from "./part_spool.ts";
import type { NewObject } from "./new_object.ts";
import type { StoringProvider } from "../providers/provider.ts";
import { filesOf, holderOf, type Reach, scopeOf } from "../reach/reach.ts";
import { sweepUploads } from "./sweep_uploads.ts";

/** Dependencies of uploads in parts. */
export interface MultipartDeps {
  readonly catalog: UploadCatalog;
  readonly spool: PartSpool;
  /** Whether the gateway keeps what the provider cannot hold; it does not where absent. */
  readonly keeps?: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Leases, and what is given up. */
  readonly clock: Clock;
  /** Fills an array with random bytes. */
  readonly randomBytes: (bytes: Uint8Array) => Uint8Array;
  /** The id of this gateway process. */
  readonly instance: string;
  readonly quota: Pick<PutQuota, "counted">;
  /** Stores a whole object. */
  readonly put: (reach: Reach, object: NewObject, signal: AbortSignal) => Promise<ObjectEntry>;
  /** Called for a clean-up that has to wait for the sweep. */
  readonly postponed: (what: string, error: unknown) => void;
  /** How long an upload may stay open; 7 days where absent. */
  readonly keepMilliseconds?: number;
  /** How long a gateway's claim on an upload lasts unless renewed; 15 s where absent. */
  readonly leaseMilliseconds?: number;
}

/** Which upload a request is about. */
export interface UploadName {
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
}

/** An open upload. */
export interface OpenUpload {
  readonly address: UploadAddress;
  readonly record: UploadEntry;
  /** The most that its parts may have together, and whose limit that is. */
  readonly maxBytes: number;
  readonly provider: string;
  /** Whose limits its parts count against. */
  readonly putter: Putter;
}

/** A part to be kept. */
export interface NewPart {
  /** 1 to 10,000. */
  readonly number: number;
  readonly bytes: number;
  /** Read to its end, or cancelled. */
  readonly body: ReadableStream<Uint8Array>;
  /** The checksums of the bytes; known once the body has ended. */
  readonly checksums: () => Readonly<Record<string, string>>;
}

/** Some of an upload's parts. */
export interface PartPage {
  readonly parts: readonly NumberedPart[];
  readonly isTruncated: boolean;
}

/** Uploads in parts. */
export type Multipart = ReturnType<typeof createMultipart>;

/** The form of an upload's id; nothing else is looked for in the catalog. */
const idForm = /^[a-z0-9]{32}$/;
/** The largest object of S3. */
const s3Bytes = 5 * 2 ** 40;
/** Characters of the time in an id, so that the ids of a key are in the order of their beginning. */
const timeLength = 9;

/** Makes the service. */
export function createMultipart(deps: MultipartDeps) {
  const { catalog, spool, now, clock, randomBytes, postponed } = deps;
  const limitOf = ({ provider }: Reach) => deps.keeps ? s3Bytes : largestFile(provider);
  const completion = createCompletion(deps);
  return { create, open, putPart, parts, list, complete, abort, abortAll, sweep, close };

  /** Opens an upload; its id. Throws `unsupported` where the provider takes no files. */
  async function create(
    reach: Reach,
    { bucket, key, ...record }:
      & Omit<UploadEntry, "startedAt" | "disk">
      & Omit<UploadName, "uploadId">,
  ): Promise<string> {
    limitOf(reach);
    if (deps.keeps) checkDeclared(record.metadata);
    const time = now().toString(36).padStart(timeLength, "0");
    const id = `${time}${randomId(32 - timeLength, randomBytes)}`;
    const startedAt = now();
    const disk = await spool.disk();
    const address = { scope: scopeOf(reach), bucket, key, id };
    await catalog.create(address, { ...record, startedAt, disk });
    return id;
  }

  /** Finds an open upload. Throws `not-found`, NoSuchUpload, where it is not one of this key's. */
  async function open(reach: Reach, name: UploadName): Promise<OpenUpload> {
    const address = addressOf(reach, name);
    const record = await catalog.get(address);
    if (!record) throw noSuchUpload(name.uploadId);
    return {
      address,
      record,
      maxBytes: limitOf(reach),
      provider: reach.provider.name,
      putter: reach,
    };
  }

  /**
   * Keeps a part, in the place of one that had its number. Throws `too-large` as soon as the parts
   * together are larger than the provider takes, and what breaks the body.
   */
  async function putPart(upload: OpenUpload, part: NewPart): Promise<PartEntry> {
    try {
      const work = (counted?: PutReservation) => putCounted(upload, part, counted);
      return await deps.quota.counted(upload.putter, part.bytes, work);
    } catch (error) {
      await cancelUnread(part.body, error);
      throw error;
    }
  }

  async function putCounted(
    upload: OpenUpload,
    part: NewPart,
    counted: PutReservation | undefined,
  ): Promise<PartEntry> {
    const { address, maxBytes, provider } = upload;
    const { number, bytes, body } = part;
    const { id } = address;
    const accept = (sum: number) => {
      if (sum > maxBytes) throw tooLarge(provider, sum, maxBytes);
    };
    try {
      await checkDisk(spool, upload.record);
      const before = await catalog.part(id, number);
      accept(await catalog.bytes(id) - (before?.bytes ?? 0) + bytes);
    } catch (error) {
      await cancelUnread(body, error);
      throw error;
    }
    const file = `${number}-${randomId(12, randomBytes)}`;
    const md5 = await spool.write(id, { file, bytes }, body, holderOf(address.scope));
    const modifiedAt = now();
    const record: PartEntry = { file, bytes, md5, modifiedAt, checksums: part.checksums() };
    let replaced: PartEntry | undefined;
    try {
      replaced = await catalog.setPart(address, number, record, clock.earliest(), accept, counted);
    } catch (error) {
      await tidy("a refused part", () => spool.remove(id, file));
      throw error;
    }
    const old = replaced?.file;
    if (old !== undefined) await tidy("a replaced part", () => spool.remove(id, old));
    return record;
  }

  /** A page of an upload's parts: those after a number. */
  async function parts({ address }: OpenUpload, after: number, limit: number): Promise<PartPage> {
    if (limit === 0) return { parts: [], isTruncated: false };
    const found = await catalog.parts(address.id, after, limit + 1);
    return { parts: found.slice(0, limit), isTruncated: found.length > limit };
  }

  /** A page of a bucket's open uploads. */
  function list(reach: Reach, request: UploadListRequest): Promise<UploadPage> {
    return listUploads(catalog, reach, request);
  }

  /** Makes an object of an upload; repeated after success it answers the same. */
  async function complete(reach: Reach, request: CompleteRequest): Promise<ObjectEntry> {
    addressOf(reach, request);
    return await completion.complete(reach, request);
  }

  /** Gives an upload up. Throws `not-found`, NoSuchUpload, where there is none. */
  async function abort(reach: Reach, name: UploadName): Promise<void> {
    const { uploadId: id } = name;
    if (!await giveUp(deps, addressOf(reach, name), clock.earliest())) throw noSuchUpload(id);
    await tidy("the parts of an aborted upload", async () => {
      await spool.removeAll(id);
      await catalog.forgetParts(id);
    });
  }

  /** Gives up every upload into a bucket. */
  async function abortAll(reach: Reach, bucket: string): Promise<void> {
    const none = { prefix: "", delimiter: "", keyMarker: "", uploadIdMarker: "" };
    for (;;) {
      const { uploads } = await list(reach, { bucket, ...none, maxUploads: 1000 });
      for (const { key, id: uploadId } of uploads) {
        // One that ends by itself meanwhile is as gone as one that is aborted here.
        await abort(reach, { bucket, key, uploadId }).catch((error: unknown) => {
          if (!(error instanceof Failure) || error.kind !== "not-found") throw error;
        });
      }
      if (uploads.length === 0) return;
    }
  }

  /** Removes what is too old, and what failures and dead processes left. */
  function sweep(signal: AbortSignal): Promise<void> {
    return sweepUploads(deps, signal);
  }

  /** Breaks off what is being completed; the spool is its maker's to close. */
  function close(): Promise<void> {
    return completion.close();
  }

  async function tidy(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      postponed(what, error);
    }
  }
}

function addressOf(reach: Reach, { bucket, key, uploadId: id }: UploadName): UploadAddress {
  if (!idForm.test(id)) throw noSuchUpload(id);
  return { scope: scopeOf(reach), bucket, key, id };
}

/** The largest file of the provider's accounts, which are of one kind. */
function largestFile(provider: StoringProvider): number {
  return Math.max(...provider.accounts.map((account) => filesOf(provider, account).maxBytes));
}

function tooLarge(provider: string, bytes: number, maxBytes: number): Failure {
  return new Failure(
    "too-large",
    `With this part the object has ${bytes} bytes or more, and ${provider} takes batch inputs of ` +
      `up to ${maxBytes} bytes. Abort the upload, and split the records over several objects`,
    { fields: { ProposedSize: `${bytes}`, MaxSizeAllowed: `${maxBytes}` } },
  );
}
