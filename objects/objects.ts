/** The life of an object: put, find, read, list, remove, and the clean-up of what is left over. */
import type { Catalog } from "../catalog/catalog.ts";
import type { ObjectRecord } from "../catalog/records.ts";
import type { FileId, JobId } from "../codecs/ids.ts";
import type { ByteRange, Provider } from "../providers/provider.ts";
import { type Address, fileIds, find, findFile, type Found } from "./find.ts";
import { list, type ListPage, type ListRequest } from "./list.ts";
import { createMarks } from "./name.ts";
import { sweepOrphans } from "./orphans.ts";
import { type NewObject, put } from "./put.ts";
import { read } from "./read.ts";
import { remove } from "./remove.ts";
import type { Reach } from "./reach.ts";
import { emptyTrash, sweepTrash } from "./trash.ts";

/** What objects are made from. */
export interface ObjectDeps {
  readonly catalog: Catalog;
  readonly providers: ReadonlyMap<string, Provider>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: () => number;
  /** The id of this gateway process. */
  readonly instance: string;
  /** Whether a bucket shows files that were put by other means. */
  readonly showsNative: (reach: Reach, bucket: string) => boolean;
  /** Told of work that failed behind an answer and is left to the sweep. */
  readonly postponed: (what: string, error: unknown) => void;
}

/** The service that the routes and jobs use. */
export interface Objects {
  put(reach: Reach, object: NewObject, signal: AbortSignal): Promise<ObjectRecord>;
  find(reach: Reach, address: Address, signal: AbortSignal): Promise<Found | undefined>;
  /** Finds what a text stands for if it spells a provider file's id. */
  findFile(reach: Reach, text: string, signal: AbortSignal): Promise<Found | undefined>;
  read(
    reach: Reach,
    found: Found,
    range: ByteRange | undefined,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;
  list(reach: Reach, request: ListRequest, signal: AbortSignal): Promise<ListPage>;
  remove(reach: Reach, address: Address, signal: AbortSignal): Promise<void>;
  /** A job that read this file is over: the file goes if nobody names it any more. */
  release(provider: Provider, file: FileId, job: JobId, signal: AbortSignal): Promise<void>;
  /** Deletes what failures and dead processes left; those last seen before `deadline` are dead. */
  sweep(deadline: number, signal: AbortSignal): Promise<void>;
}

/** Makes the service. */
export function createObjects(deps: ObjectDeps): Objects {
  const { catalog, now, random, showsNative, postponed } = deps;
  const objects = catalog.objects;
  const finding = { catalog: objects, now };
  const putting = { catalog: objects, now, random, postponed, mark: createMarks(deps.instance) };
  const listing = { catalog: objects, now, showsNative };
  return {
    put: (reach, object, signal) => put(putting, reach, object, signal),
    find: (reach, address, signal) => find(finding, reach, address, signal),
    async findFile(reach, text, signal) {
      for (const id of fileIds(reach, [text])) {
        const found = await findFile(finding, reach, id, signal);
        if (found) return found;
      }
      return undefined;
    },
    read: (reach, found, range, signal) => read(objects, reach, found, range, signal),
    list: (reach, request, signal) => list(listing, reach, request, signal),
    remove: (reach, address, signal) => remove(finding, reach, address, signal),
    async release(provider, file, job, signal) {
      if (!provider.forwards) await emptyTrash(objects, provider, file, signal, job);
    },
    async sweep(deadline, signal) {
      const failed = (provider: string, error: unknown) =>
        postponed(`a file in the trash of ${provider}`, error);
      await sweepTrash(objects, deps.providers, signal, failed);
      await sweepOrphans(catalog, deps.providers, deadline, signal);
    },
  };
}
