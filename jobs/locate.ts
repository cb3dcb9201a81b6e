/**
 * Finding the input of a job: at the job's own provider, at the one that the tag names, or else at
 * the one that its bucket is bound to. It is one object, or a folder of files.
 */
import type { ObjectEntry } from "../catalog/entries.ts";
import type { PinEntry } from "../catalog/pins.ts";
import type { Source } from "../catalog/plan.ts";
import { Failure } from "../codecs/failure.ts";
import { firstLine } from "../codecs/jsonl.ts";
import { isFolder, parseS3Uri, type S3Uri } from "../codecs/s3_uri.ts";
import { parseLine } from "../dialects/stream.ts";
import type { ForwardingProvider } from "../providers/provider.ts";
import type { Reach } from "../reach/reach.ts";
import type { JobTools } from "./deps.ts";
import { findInput } from "./input.ts";
import { type Head, inputTag } from "./plan.ts";
import { filesOf, isPackedName } from "./source.ts";
import { type CreateRequest, fileTag } from "./validate.ts";

/** The first record of an input must end within so many bytes to be looked at. */
const maxHeadBytes = 64 * 2 ** 20;

/**
 * Files of a folder that a job holds: each takes a write and a read of the catalog at the create.
 */
const mostPinned = 10_000;

/** The first record of an input that was looked at. */
export type SeenHead =
  | { readonly kind: "empty" }
  | Pick<Extract<Head, { kind: "line" }>, "kind" | "line">;

/** An input that was found. */
export interface LocatedInput {
  readonly source: Source;
  /** The object, where the job's own provider has it as it is to be read. */
  readonly own?: ObjectEntry;
  /** Whether the catalog names that object; it does not name native files. */
  readonly isNamed?: boolean;
  /** What is to be held for the job, where its own provider does not have it as one object. */
  readonly pins?: readonly PinEntry[];
  /** Bytes of it, packed ones where it is packed; absent where they are not known. */
  readonly bytes?: number;
  /** Its records, where they were counted as it was put. */
  readonly records?: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
  /** Reads its first record. */
  head(signal: AbortSignal): Promise<SeenHead>;
}

/**
 * Finds an input. Throws `invalid` where it is not there, and `denied` where the caller may not.
 */
export async function locate(
  deps: JobTools,
  reach: Reach,
  request: CreateRequest,
  signal: AbortSignal,
): Promise<LocatedInput> {
  const { s3Uri } = request.inputDataConfig.s3InputDataConfig;
  const uri = parseS3Uri(s3Uri);
  const at = holderOf(reach, uri, request);
  const isLabel = Object.hasOwn(request.tags, fileTag) && "reach" in at;
  if (uri && isFolder(uri) && !isLabel) return await folder(deps, reach, at, uri, request, signal);
  if ("forward" in at) return await outside(deps, reach, at.forward, uri, request, signal);
  const { record: object, name } = await findInput(deps.objects, at.reach, request, signal);
  const isPacked = object.held.in === "store" && isPackedName(uri?.key ?? "");
  const provider = at.reach.provider.name;
  const source = {
    in: "object",
    provider,
    file: object.file,
    held: object.held,
    bytes: object.bytes,
    ...(isPacked && { isPacked }),
  } as const;
  const isOwn = provider === reach.provider.name;
  return {
    source,
    ...(isOwn
      ? { own: object, isNamed: name !== undefined }
      : { pins: [{ provider, key: uri?.key ?? "", ...heldOf(object) }] }),
    bytes: object.bytes,
    ...(object.records !== undefined && !isPacked && { records: object.records }),
    modifiedAt: object.modifiedAt,
    head: (signal) => object.bytes === 0 ? empty() : headOf(deps, reach, source, signal),
  };
}

function heldOf({ file, held, bytes }: ObjectEntry): Pick<PinEntry, "file" | "held" | "bytes"> {
  return { file, held, bytes };
}

/** Where an input is. */
type InputHolder = { readonly reach: Reach } | { readonly forward: ForwardingProvider };

function holderOf(reach: Reach, uri: S3Uri | undefined, { tags }: CreateRequest): InputHolder {
  const tag = Object.hasOwn(tags, inputTag) ? tags[inputTag] : undefined;
  const name = tag ?? (uri && reach.boundTo?.(uri.bucket));
  if (name === undefined || name === reach.provider.name) return { reach };
  const forward = reach.forwardingAt?.(name);
  if (forward) return { forward };
  const other = reach.at?.(name);
  if (other) return { reach: other };
  throw new Failure(
    "invalid",
    tag === undefined
      ? `The input's bucket is bound to ${name}, which is not configured`
      : `The tag ${inputTag} must name a configured provider`,
  );
}

/** Returns the owner that the client expects the bucket to have; empty where it names none. */
function ownerOf({ inputDataConfig: { s3InputDataConfig: { s3BucketOwner } } }: CreateRequest) {
  return s3BucketOwner === undefined ? {} : { owner: s3BucketOwner };
}

async function folder(
  deps: JobTools,
  reach: Reach,
  at: InputHolder,
  location: S3Uri,
  request: CreateRequest,
  signal: AbortSignal,
): Promise<LocatedInput> {
  const { name } = "forward" in at ? at.forward : at.reach.provider;
  const source = {
    in: "folder",
    provider: name,
    location,
    native: "reach" in at && at.reach.native,
    ...ownerOf(request),
  } as const;
  const pins: PinEntry[] = [];
  let isEmpty = true;
  for await (const { pin } of readable(filesOf(deps, reach, source, signal))) {
    isEmpty = false;
    if (pin) pins.push(pin);
    if (!pin || pins.length > mostPinned) break;
  }
  if (!isEmpty) {
    const isPinned = pins.length > 0 && pins.length <= mostPinned;
    return {
      source: isPinned ? { ...source, pinned: pins.length } : source,
      ...(isPinned && { pins, bytes: pins.reduce((sum, { bytes }) => sum + bytes, 0) }),
      modifiedAt: 0,
      head: (signal) => headOf(deps, reach, source, signal),
    };
  }
  const { bucket, key } = location;
  throw new Failure(
    "invalid",
    `The input folder s3://${bucket}/${key} at ${name} holds no .jsonl or .jsonl.gz file. Put the ` +
      "JSONL files there, or name one object",
  );
}

async function outside(
  deps: JobTools,
  reach: Reach,
  provider: ForwardingProvider,
  location: S3Uri | undefined,
  request: CreateRequest,
  signal: AbortSignal,
): Promise<LocatedInput> {
  const { s3Uri } = request.inputDataConfig.s3InputDataConfig;
  const { openBucket } = deps;
  if (!location || !openBucket) throw new Failure("internal", "The input cannot be opened");
  const { bucket, key } = location;
  const found = await openBucket({ provider, bucket, ...ownerOf(request) })
    .open(key, undefined, signal).catch(refuse);
  if (!found) {
    throw new Failure("invalid", `The job's input was not found at ${provider.name}: ${s3Uri}`);
  }
  await found.body.cancel();
  const { etag, modifiedAt, bytes } = found;
  checkTag(request, etag);
  const source = {
    in: "s3",
    provider: provider.name,
    location,
    etag,
    ...(isPackedName(key) && { isPacked: true as const }),
    ...ownerOf(request),
  } as const;
  return {
    source,
    ...(bytes !== undefined && { bytes }),
    modifiedAt,
    head: (signal) => bytes === 0 ? empty() : headOf(deps, reach, source, signal),
  };
}

/** The tag that names a file may hold what the upload to S3 answered. */
function checkTag({ tags, inputDataConfig }: CreateRequest, etag: string): void {
  const tag = Object.hasOwn(tags, fileTag) ? tags[fileTag] : undefined;
  if (tag === undefined || tag.replaceAll('"', "") === etag) return;
  const { s3Uri } = inputDataConfig.s3InputDataConfig;
  throw new Failure(
    "invalid",
    `The input ${s3Uri} has the ETag ${etag}, and the tag ${fileTag} names ${tag.slice(0, 64)}. ` +
      "Name its ETag, or leave the tag out",
  );
}

/** Reads the first record of an input. */
async function headOf(
  deps: JobTools,
  reach: Reach,
  source: Source,
  signal: AbortSignal,
): Promise<SeenHead> {
  for await (const file of readable(filesOf(deps, reach, source, signal))) {
    const line = await firstLine(await file.open(signal).catch(refuse), maxHeadBytes);
    if (line !== undefined) return { kind: "line", line: parseLine(line) };
  }
  return { kind: "empty" };
}

async function* readable<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    refuse(error);
  }
}

/** Throws what S3 refuses the gateway as a mistake in a create's parameters, or in the set-up. */
function refuse(error: unknown): never {
  const isRefusal = error instanceof Failure &&
    (error.kind === "denied" || error.kind === "precondition");
  throw isRefusal ? new Failure("invalid", error.message, { cause: error }) : error;
}

function empty(): Promise<SeenHead> {
  return Promise.resolve({ kind: "empty" });
}
