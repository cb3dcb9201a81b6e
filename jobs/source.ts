/** Opening the input of a job, wherever it is: one object, or each file of a folder. */
import type { OpenBucket } from "../blobs/client_bucket.ts";
import type { ShardedPlan, Source } from "../catalog/plan.ts";
import type { Scope } from "../catalog/keys.ts";
import type { PinEntry } from "../catalog/pins.ts";
import { Failure } from "../codecs/failure.ts";
import { climbs } from "../codecs/s3_uri.ts";
import { gunzip } from "../codecs/gunzip.ts";
import type { Objects } from "../objects/objects.ts";
import type { ForwardingProvider, Provider, StoringProvider } from "../providers/provider.ts";
import type { Reach } from "../reach/reach.ts";
import { checkReadable } from "./over_limits.ts";

/** Dependencies of sources. */
export interface SourceDeps {
  readonly objects: Objects;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly openBucket?: OpenBucket;
}

/** A file of an input. */
export interface SourceFile {
  /** Relative to the input's folder; absent where the input is one object. */
  readonly path?: string;
  /** What can be held of a file of a folder, where the folder is at a provider that stores files. */
  readonly pin?: PinEntry;
  /** Opens its bytes from the first on, decompressed. */
  open(signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
}

type SourceOf<In extends Source["in"]> = Extract<Source, { in: In }>;

/**
 * Returns whether an input may change or go before its job is over, so that a copy of it is kept.
 */
export function mayChange({ source, input }: Pick<ShardedPlan, "source" | "input">): boolean {
  return source.in !== "object" || source.isPacked === true || input === undefined;
}

/** Returns whether the name of an object says that its bytes are gzip. */
export function isPackedName(key: string): boolean {
  return key.endsWith(".gz");
}

/**
 * The files of an input, in the byte order of their keys; one for an input that is not a folder.
 *
 * @param pins The files of a folder that the job holds; the folder is listed where absent.
 */
export async function* filesOf(
  deps: SourceDeps,
  scope: Pick<Scope, "tenant">,
  source: Source,
  signal: AbortSignal,
  pins?: AsyncIterable<PinEntry>,
): AsyncGenerator<SourceFile> {
  if (source.in === "folder") return yield* folderFiles(deps, scope, source, signal, pins);
  yield {
    open: async (signal) => {
      const body = source.in === "object"
        ? await openObject(deps, scope, source, signal)
        : await openOutside(deps, source, signal);
      return source.isPacked ? gunzip(body) : body;
    },
  };
}

async function openObject(
  { objects, providers }: SourceDeps,
  { tenant }: Pick<Scope, "tenant">,
  source: SourceOf<"object">,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const provider = storing(providers, source.provider);
  const reach: Reach = { tenant, native: true, provider };
  return await objects.read(reach, { record: source }, undefined, signal);
}

async function openOutside(
  deps: SourceDeps,
  { provider, location: { bucket, key }, etag, owner }: SourceOf<"s3">,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const place = { provider: forwarding(deps.providers, provider), bucket, owner };
  const found = await bucketsOf(deps)(place).open(key, etag, signal);
  if (!found) {
    throw new Failure("not-found", `The input s3://${bucket}/${key} is not there any more`);
  }
  return found.body;
}

async function* folderFiles(
  deps: SourceDeps,
  scope: Pick<Scope, "tenant">,
  source: SourceOf<"folder">,
  signal: AbortSignal,
  pins: AsyncIterable<PinEntry> | undefined,
): AsyncGenerator<SourceFile> {
  const { location: { key: prefix }, provider: name } = source;
  const files = deps.providers.get(name)?.forward
    ? outsideFiles(deps, source, signal)
    : pins
    ? pinnedFiles(deps, scope, source, pins)
    : storedFiles(deps, scope, source, signal);
  for await (const { key, pin, open } of files) {
    const path = key.slice(prefix.length);
    if (!/\.jsonl(?:\.gz)?$/.test(path)) continue;
    // Its results would be named after it, perhaps in a bucket of S3.
    if (climbs(path)) throw climbing(path);
    yield {
      path,
      ...(pin && { pin }),
      open: async (signal) => {
        const body = await open(signal);
        return isPackedName(path) ? gunzip(body) : body;
      },
    };
  }
}

function climbing(path: string): Failure {
  return new Failure(
    "invalid",
    `The file ${path} of the input's folder has a segment . or .. in its key, which could be read ` +
      "as the key of another place. Rename it",
  );
}

/** A file of a folder, as it is stored. */
interface StoredFile {
  readonly key: string;
  readonly pin?: PinEntry;
  open(signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
}

async function* outsideFiles(
  deps: SourceDeps,
  { provider, location: { bucket, key: prefix }, owner }: SourceOf<"folder">,
  signal: AbortSignal,
): AsyncGenerator<StoredFile> {
  const place = { provider: forwarding(deps.providers, provider), bucket, owner };
  const opened = bucketsOf(deps)(place);
  for await (const key of opened.list(prefix, signal)) {
    yield {
      key,
      async open(signal) {
        const found = await opened.open(key, undefined, signal);
        if (found) return found.body;
        throw new Failure("unavailable", `The input s3://${bucket}/${key} went while it was read`);
      },
    };
  }
}

async function* pinnedFiles(
  deps: SourceDeps,
  { tenant }: Pick<Scope, "tenant">,
  { provider: name, native, pinned }: SourceOf<"folder">,
  pins: AsyncIterable<PinEntry>,
): AsyncGenerator<StoredFile> {
  const reach: Reach = { tenant, native, provider: storing(deps.providers, name) };
  let left = pinned ?? 0;
  for await (const pin of pins) {
    left--;
    yield storedFile(deps, reach, pin);
  }
  if (left > 0) throw new Failure("not-found", `${left} files of the input are not held any more`);
}

function storedFile({ objects }: SourceDeps, reach: Reach, pin: PinEntry): StoredFile {
  const open = async (signal: AbortSignal) => {
    checkReadable(reach, pin, `The input is the folder of ${pin.key}`);
    return await objects.read(reach, { record: pin }, undefined, signal);
  };
  return { key: pin.key, pin, open };
}

async function* storedFiles(
  deps: SourceDeps,
  { tenant }: Pick<Scope, "tenant">,
  { provider: name, location: { bucket, key: prefix }, native }: SourceOf<"folder">,
  signal: AbortSignal,
): AsyncGenerator<StoredFile> {
  const reach: Reach = { tenant, native, provider: storing(deps.providers, name) };
  const request = { bucket, prefix, delimiter: "", maxKeys: 1_000, startAfter: "" };
  for (let position: Uint8Array | undefined, isLast = false; !isLast;) {
    const page = await deps.objects.list(
      reach,
      { ...request, ...(position && { position }) },
      signal,
    );
    for (const { key, record: { file, held, bytes } } of page.objects) {
      yield storedFile(deps, reach, { provider: name, key, file, held, bytes });
    }
    position = page.next;
    isLast = position === undefined;
  }
}

function bucketsOf({ openBucket }: SourceDeps): OpenBucket {
  if (openBucket) return openBucket;
  throw new Failure("internal", "This gateway opens no buckets");
}

function storing(providers: SourceDeps["providers"], name: string): StoringProvider {
  return providers.get(name)?.stores ?? missing(name);
}

function forwarding(providers: SourceDeps["providers"], name: string): ForwardingProvider {
  return providers.get(name)?.forward ?? missing(name);
}

function missing(name: string): never {
  throw new Failure(
    "unavailable",
    `The job's data is at ${name}, which the gateway's configuration no longer holds; its operator ` +
      "can add it again",
  );
}
