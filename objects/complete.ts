/**
 * Completing an upload: its parts become one object.
 *
 * The parts wait on disk until here, and are then streamed in their order as one file. Providers ask
 * for the total length before the first byte (OpenAI's uploads and Gemini's resumable sessions both
 * do), which is not known before Complete; parts come in any order and are sent again; and what is
 * at no provider needs no clean-up there when it is aborted. So an object in parts is put as any
 * other: under the same conditions, recorded and replaced in one step, and unseen until then.
 *
 * As in S3, completing goes on when its client has gone, and may be asked for again: who asks while
 * it is under way waits for it, and who asks later gets the same answer.
 */
import type { WriteCondition } from "../catalog/objects.ts";
import type { ObjectEntry, UploadEntry } from "../catalog/entries.ts";
import {
  noSuchUpload,
  type NumberedPart,
  type UploadAddress,
  type UploadCatalog,
} from "../catalog/uploads.ts";
import { createDigestTap, type DeclaredDigest, declaredDigests } from "../codecs/checksums.ts";
import type { Clock } from "../runtime/clock.ts";
import { multipartEtag } from "../codecs/etag.ts";
import { Failure } from "../codecs/failure.ts";
import { compositeChecksum, computedDigest } from "../codecs/object_checksum.ts";
import { packParts } from "../codecs/object_parts.ts";
import { verifiedStream } from "../codecs/verified_stream.ts";
import { SingleFlight } from "../runtime/single_flight.ts";
import { chooseParts, invalidPart, type NamedPart } from "./chosen_parts.ts";
import { checkDisk } from "./part_disk.ts";
import type { PartSpool } from "./part_spool.ts";
import type { NewObject } from "./new_object.ts";
import { type Reach, scopeOf } from "../reach/reach.ts";
import { underLease } from "../runtime/lease.ts";

/** A completed upload, before it is an object. */
export interface CompleteRequest {
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
  /** At least one. */
  readonly parts: readonly NamedPart[];
  readonly condition: WriteCondition;
  /** `x-amz-checksum-*` that the object must have: at most one. */
  readonly checksums: Readonly<Record<string, string>>;
  /** Bytes that the object must have, where the client declares them. */
  readonly bytes?: number;
}

/** Dependencies of completing. */
export interface CompleteDeps {
  readonly catalog: UploadCatalog;
  readonly spool: PartSpool;
  readonly now: () => number;
  readonly clock: Clock;
  /** The id of this gateway process. */
  readonly instance: string;
  readonly put: (reach: Reach, object: NewObject, signal: AbortSignal) => Promise<ObjectEntry>;
  /** How long a claim on an upload lasts unless it is renewed; 15 s where absent. */
  readonly leaseMilliseconds?: number;
  /** Called for a clean-up that has to wait for the sweep. */
  readonly postponed: (what: string, error: unknown) => void;
}

/** S3's greatest number of parts. */
const maxParts = 10_000;
const defaultLeaseMilliseconds = 15_000;

/** Makes what completes uploads. */
export function createCompletion(deps: CompleteDeps) {
  const { catalog, spool, now, postponed } = deps;
  const { leaseMilliseconds = defaultLeaseMilliseconds } = deps;
  const running = new SingleFlight<ObjectEntry>();
  const closing = new AbortController();

  return { complete, close };

  /** Makes an object of an upload, or answers with the one that it became. */
  async function complete(reach: Reach, request: CompleteRequest): Promise<ObjectEntry> {
    const { bucket, key, uploadId: id } = request;
    const address: UploadAddress = { scope: scopeOf(reach), bucket, key, id };
    const before = await completed(address);
    if (before) return before;
    const name = JSON.stringify([reach.tenant, reach.provider.name, bucket, key, id]);
    const others = running.get(name);
    if (others) return await others;
    closing.signal.throwIfAborted();
    return await running.run(
      name,
      () => claimed(address, (signal) => work(reach, address, request, signal)),
    );
  }

  /** Breaks off what is under way; those uploads stay open. */
  async function close(): Promise<void> {
    closing.abort(
      new Failure("unavailable", "The gateway is shutting down; send the request again", {
        retryAfterSeconds: 1,
      }),
    );
    await running.idle();
  }

  async function completed(
    { scope, bucket, key, id }: UploadAddress,
  ): Promise<ObjectEntry | undefined> {
    const done = await catalog.completed(id);
    const isSame = done?.tenant === scope.tenant && done.provider === scope.provider &&
      done.bucket === bucket && done.key === key;
    return isSame ? done.record : undefined;
  }

  /** Does a work while no other gateway may, and no part comes or goes. */
  async function claimed(
    address: UploadAddress,
    work: (signal: AbortSignal) => Promise<ObjectEntry>,
  ): Promise<ObjectEntry> {
    // Another gateway that completes it, too, makes the same object.
    const failed = (error: unknown) => postponed("the renewal of a claim on an upload", error);
    const tools = { ...deps, leaseMilliseconds, failed };
    const made = await underLease(catalog.lease(address), tools, (held) => {
      const lost = new AbortController();
      held.signal.addEventListener("abort", () => lost.abort(busy()));
      return work(AbortSignal.any([lost.signal, closing.signal]));
    });
    if (made) return made;
    if (await catalog.get(address)) throw busy();
    const before = await completed(address);
    if (before) return before;
    throw noSuchUpload(address.id);
  }

  async function work(
    reach: Reach,
    address: UploadAddress,
    request: CompleteRequest,
    signal: AbortSignal,
  ): Promise<ObjectEntry> {
    const { bucket, key, id } = address;
    const upload = await catalog.get(address);
    if (!upload) throw noSuchUpload(id);
    await checkDisk(spool, upload);
    const parts = chooseParts(request.parts, await catalog.parts(id, 0, maxParts));
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    checkSize(request, bytes);
    const composite = await compositeOf(upload, parts, request.checksums);
    const tap = await createDigestTap(digestsOf(upload, request.checksums));
    for (const part of parts) if (!await spool.has(id, part)) throw invalidPart(part.number);
    const { stream, checksums, isGivenOut, records } = verifiedStream(spool.read(id, parts), {
      length: bytes,
      tap,
    });
    const { contentType, headers, metadata } = upload;
    const kept = keptOf(upload, parts);
    const record = await deps.put(reach, {
      bucket,
      key,
      bytes,
      body: stream,
      isGivenOut,
      records,
      checksums: () => ({ ...checksums(), ...composite }),
      md5: () => multipartEtag(parts.map(({ md5 }) => md5)),
      contentType,
      headers,
      metadata,
      condition: request.condition,
      ...(kept && { parts: kept }),
    }, signal).catch(async (error: unknown) => {
      if (!stream.locked) await stream.cancel(error);
      throw error;
    });
    await catalog.finish(address, {
      tenant: reach.tenant,
      provider: reach.provider.name,
      bucket,
      key,
      record,
      completedAt: now(),
    });
    try {
      await catalog.forgetParts(id);
      await spool.removeAll(id);
    } catch (error) {
      postponed("the parts of a completed upload", error);
    }
    return record;
  }
}

function checkSize({ bytes: declared }: CompleteRequest, bytes: number): void {
  if (declared === undefined || declared === bytes) return;
  throw new Failure(
    "invalid",
    `x-amz-mp-object-size is ${declared}, and the parts have ${bytes} bytes together`,
    { s3: "InvalidRequest" },
  );
}

/** Parts as the object's entry keeps them. */
function keptOf({ checksum }: UploadEntry, parts: readonly NumberedPart[]) {
  const header = checksum?.header;
  const kept = parts.map(({ number, bytes, checksums }) => ({
    number,
    bytes,
    checksum: header === undefined ? undefined : checksums[header],
  }));
  return packParts(kept, header);
}

/** The object's composite checksum, where it is to have one, by its header. */
async function compositeOf(
  { checksum }: UploadEntry,
  parts: readonly NumberedPart[],
  declared: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  if (checksum?.type !== "COMPOSITE") return {};
  const { header } = checksum;
  const ofParts = parts.flatMap(({ checksums }) => checksums[header] ?? []);
  if (ofParts.length < parts.length) return {};
  const value = await compositeChecksum(header, ofParts);
  const expected = declared[header];
  if (expected === undefined || value === expected || value.startsWith(`${expected}-`)) {
    return { [header]: value };
  }
  throw new Failure(
    "invalid",
    `The parts do not have the checksum that ${header} declares; upload them again`,
    { s3: "BadDigest" },
  );
}

/** The digests of the whole to be computed: those that the client declares, and the upload's own. */
function digestsOf(
  { checksum }: UploadEntry,
  declared: Readonly<Record<string, string>>,
): DeclaredDigest[] {
  const whole = Object.entries(declared).filter(([header]) =>
    checksum?.type !== "COMPOSITE" || header !== checksum.header
  );
  const digests = declaredDigests(new Headers(whole));
  if (checksum?.type !== "FULL_OBJECT" || digests.length > 0) return digests;
  const computed = computedDigest(checksum.header);
  return computed ? [computed] : [];
}

function busy(): Failure {
  return new Failure(
    "unavailable",
    "Another gateway is completing the upload, or was until a moment ago. Ask again",
    { retryAfterSeconds: 5 },
  );
}
