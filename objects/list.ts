/**
 * Listing a bucket in S3's order, the byte order of keys, with common prefixes. A page costs the
 * page: the catalog is read from a position on, and a common prefix is jumped over.
 */
import { keys, type Scope } from "../catalog/keys.ts";
import type { NamedObject, ObjectCatalog } from "../catalog/objects.ts";
import type { ReadMemory } from "../catalog/read_memory.ts";
import type { Clock } from "../runtime/clock.ts";
import { latin1 } from "../codecs/latin1.ts";
import { afterKey, afterPrefix, compareBytes } from "./byte_order.ts";
import { isLive } from "./find.ts";
import { createNativeFiles } from "./native.ts";
import { type Reach, scopeOf } from "../reach/reach.ts";
import { scopesOfBucket } from "./results/native.ts";

/** Parameters of a list. */
export interface ListRequest {
  readonly bucket: string;
  readonly prefix: string;
  /** Empty for none. */
  readonly delimiter: string;
  readonly maxKeys: number;
  /** Only keys after this one; ignored where a position is given. */
  readonly startAfter: string;
  /** Where the last page ended. */
  readonly position?: Uint8Array;
}

/** One page of a bucket. */
export interface ListPage {
  /** Objects and common prefixes, each list in byte order. */
  readonly objects: readonly NamedObject[];
  readonly commonPrefixes: readonly string[];
  /** Where the next page begins; absent on the last. */
  readonly next?: Uint8Array;
}

/** Dependencies of listing. */
export interface ListDeps {
  readonly catalog: ObjectCatalog;
  readonly memory: ReadMemory;
  readonly clock: Clock;
  /** Whether a bucket shows native files. */
  readonly showsNative: (reach: Reach, bucket: string) => boolean;
}

const utf8 = new TextEncoder();
/** Keys of the first read where there is a delimiter; it may be that one would do. */
const firstStep = 16;

/**
 * Lists one page of a bucket. A page that was listed before and holds still is the same object, so
 * that what is made of it may be kept beside it.
 */
export async function list(
  deps: ListDeps,
  reach: Reach,
  request: ListRequest,
  signal: AbortSignal,
): Promise<ListPage> {
  if (reach.native && deps.showsNative(reach, request.bucket)) {
    return await readPage(request, nativeSource(deps, reach, request, signal), signal);
  }
  const { position, ...rest } = request;
  const name = JSON.stringify(["objects", scopeOf(reach), rest, position && latin1(position)]);
  const read = async (): Promise<Remembered> => {
    const expiry: Expiry = { first: Infinity };
    const source = recordedSource(deps, reach, request, { expiry, signal, forgotten: 0 });
    return { page: await readPage(request, source, signal), expiry };
  };
  const weight = ({ page }: Remembered) => 1 + page.objects.length + page.commonPrefixes.length;
  const of = scopesOfBucket(reach, request.bucket)
    .map((scope) => keys.objects(scope, request.bucket));
  const { page, expiry } = await deps.memory.remember(name, weight, read, of);
  return expiry.first > deps.clock.due() ? page : (await read()).page;
}

/** When the first of the objects on a page is gone, in milliseconds since 1970. */
interface Expiry {
  first: number;
}

/** How far the reading of one page has come. */
interface Reading {
  readonly expiry: Expiry;
  /** Ends it once its client has gone. */
  readonly signal: AbortSignal;
  /** Expired objects that were forgotten in passing. */
  forgotten: number;
}

interface Remembered {
  readonly page: ListPage;
  readonly expiry: Expiry;
}

async function readPage(
  request: ListRequest,
  source: Source,
  signal: AbortSignal,
): Promise<ListPage> {
  const objects: NamedObject[] = [];
  const commonPrefixes: string[] = [];
  let position = startOf(request);
  let last: string | undefined;
  // Made when it is asked for: of a page of keys only the last one holds a position.
  const reached = () => {
    if (last !== undefined) position = afterKey(last);
    last = undefined;
    return position;
  };
  let count = 0;
  let step = request.delimiter === "" ? request.maxKeys + 1 : firstStep;
  for (;;) {
    // One more than fits shows whether another page follows.
    const wanted = Math.min(step, request.maxKeys - count + 1);
    const { found, isLast } = await source(reached(), wanted);
    signal.throwIfAborted();
    let skipped = 0;
    for (const entry of found) {
      if (request.delimiter !== "" && compareBytes(utf8.encode(entry.key), reached()) < 0) {
        skipped++;
        continue;
      }
      if (count === request.maxKeys) return { objects, commonPrefixes, next: reached() };
      const common = commonPrefixOf(entry.key, request);
      if (common === undefined) {
        objects.push(entry);
        last = entry.key;
      } else {
        position = afterPrefix(common);
        last = undefined;
        if (isSkipped(common, request)) continue;
        commonPrefixes.push(common);
      }
      count++;
    }
    if (isLast) return { objects, commonPrefixes };
    // What lies below one common prefix is read for nothing, so the next read asks for less of it.
    step = skipped > found.length / 2 ? Math.max(2, Math.ceil(step / 4)) : step * 2;
  }
}

/** Some of the smallest keys from a position on, and whether there are no others. */
interface Batch {
  readonly found: readonly NamedObject[];
  readonly isLast: boolean;
}

type Source = (from: Uint8Array, limit: number) => Promise<Batch>;

/** Reads the smallest keys of the catalog from a position on. */
function recordedKeys(
  deps: ListDeps,
  reach: Reach,
  { bucket, prefix }: ListRequest,
  reading: Reading,
): (from: Uint8Array, limit: number) => Promise<readonly NamedObject[]> {
  const before = prefix === "" ? undefined : afterPrefix(prefix);
  return (from, limit) =>
    merged(
      scopesOfBucket(reach, bucket).map((scope) =>
        recordedObjects(deps, { scope, bucket, before, reading }, from, limit)
      ),
      limit,
    );
}

function recordedSource(
  deps: ListDeps,
  reach: Reach,
  request: ListRequest,
  reading: Reading,
): Source {
  const recorded = recordedKeys(deps, reach, request, reading);
  return async (from, limit) => {
    const found = await recorded(from, limit);
    return { found, isLast: found.length < limit };
  };
}

/** The smallest keys of the catalog and of native files together. */
function nativeSource(
  deps: ListDeps,
  reach: Reach,
  request: ListRequest,
  signal: AbortSignal,
): Source {
  const reading = { expiry: { first: Infinity }, signal, forgotten: 0 };
  const recorded = recordedKeys(deps, reach, request, reading);
  const { prefix, maxKeys } = request;
  const native = createNativeFiles(
    deps.catalog,
    reach,
    prefix,
    maxKeys + 1,
    deps.clock.due(),
    signal,
  );
  return async (from, limit) => {
    // An object that was put under a native file's id hides it, as it does from HEAD.
    const found = await merged([recorded(from, limit), native(from, limit)], limit);
    return { found, isLast: found.length < limit };
  };
}

/** The first of several lists together, in byte order; of two of one key, that of the first list. */
async function merged(
  lists: readonly Promise<readonly NamedObject[]>[],
  limit: number,
): Promise<readonly NamedObject[]> {
  const [first = [], ...others] = await Promise.all(lists);
  if (others.every(({ length }) => length === 0)) return first;
  const named = new Map<string, NamedObject>();
  for (const list of [first, ...others]) {
    for (const entry of list) if (!named.has(entry.key)) named.set(entry.key, entry);
  }
  return [...named.values()]
    .map((entry) => ({ entry, bytes: utf8.encode(entry.key) }))
    .sort((a, b) => compareBytes(a.bytes, b.bytes))
    .slice(0, limit)
    .map(({ entry }) => entry);
}

/** Where objects are read, up to where. */
interface ListPosition {
  readonly scope: Scope;
  readonly bucket: string;
  readonly before: Uint8Array | undefined;
  readonly reading: Reading;
}

/** Expired objects that one page forgets in passing; those beyond are left to the sweep. */
const maxForgotten = 100;
/** Objects that are read at one time where some before them have expired. */
const fewestRead = 100;

/**
 * Objects of the catalog that their provider still has, exactly `limit` of them if there are as
 * many. Some that have expired are forgotten in passing, for every list would read them again.
 */
async function recordedObjects(
  deps: ListDeps,
  { scope, bucket, before, reading }: ListPosition,
  from: Uint8Array,
  limit: number,
): Promise<NamedObject[]> {
  const { expiry, signal } = reading;
  const live: NamedObject[] = [];
  let wanted = limit;
  while (live.length < limit) {
    if (before && compareBytes(from, before) >= 0) break;
    signal.throwIfAborted();
    const found = await deps.catalog.range(scope, bucket, from, before, wanted);
    const now = deps.clock.due();
    for (const object of found) {
      const { key, record } = object;
      if (isLive(record, now)) {
        if (live.length === limit) break;
        live.push(object);
        if (record.expiresAt !== undefined) expiry.first = Math.min(expiry.first, record.expiresAt);
      } else if (deps.clock.isConfirmed() && reading.forgotten < maxForgotten) {
        reading.forgotten++;
        await deps.catalog.remove(scope, bucket, key, record, "gone");
      }
    }
    const last = found.at(-1);
    if (found.length < wanted || !last) break;
    from = afterKey(last.key);
    wanted = Math.max(limit - live.length, fewestRead);
  }
  return live;
}

function startOf({ position, startAfter, prefix }: ListRequest): Uint8Array {
  const first = utf8.encode(prefix);
  const start = position ?? (startAfter === "" ? first : afterKey(startAfter));
  return compareBytes(start, first) < 0 ? first : start;
}

/** The common prefix that stands for a key where there is a delimiter; undefined for the key itself. */
export function commonPrefixOf(
  key: string,
  { prefix, delimiter }: Pick<ListRequest, "prefix" | "delimiter">,
): string | undefined {
  if (delimiter === "") return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

/** S3 drops a common prefix that is not after start-after. */
function isSkipped(common: string, { position, startAfter }: ListRequest): boolean {
  if (position || startAfter === "") return false;
  return compareBytes(utf8.encode(common), utf8.encode(startAfter)) <= 0;
}
