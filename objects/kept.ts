/** Objects that the gateway keeps itself: their blobs, where they are, and when they go. */
import type { BlobStore, NewBlob } from "../blobs/store.ts";
import type { CopyCatalog } from "../catalog/copies.ts";
import type { NamedObject } from "../catalog/entries.ts";
import type { KeptBlob } from "../catalog/held.ts";
import { blobName, randomId } from "../codecs/ids.ts";
import { Failure } from "../codecs/failure.ts";
import { cancelUnread } from "../runtime/unread.ts";
import type { ByteRange } from "../providers/provider.ts";
import { removeLabelled, writeLabel } from "./labels.ts";

/** Which disk a store is on. */
export interface StoreDisk {
  /** An id, which all gateways that see the disk have in common. */
  id(): Promise<string>;
  /** The machine's name, for messages; empty where it is not known. */
  readonly machine: string;
}

/** Dependencies of kept objects. */
export interface KeptDeps {
  readonly blobs: BlobStore;
  /** Absent where every machine reaches the store. */
  readonly disk?: StoreDisk;
  /** Objects that a provider cannot hold, a copy of all others too, or none. */
  readonly keep: "needed" | "all" | "never";
  /** Days after which a kept object goes; it stays where absent. */
  readonly expireDays?: number;
  readonly copies: CopyCatalog;
  /** Fills an array with random bytes. */
  readonly randomBytes: (bytes: Uint8Array) => Uint8Array;
}

/** The objects that are kept in the gateway's own store. */
export type KeptObjects = ReturnType<typeof createKept>;

/** A day in milliseconds. */
const day = 24 * 3_600_000;
/** Letters and digits that make a name unlike every other. */
const randomLength = 12;
const root = "kept";

/** Makes the service; nothing is on disk before the first object. */
export function createKept(deps: KeptDeps) {
  const { blobs, disk, keep, expireDays, copies, randomBytes } = deps;
  return {
    keep,
    put,
    open,
    remove,
    removeCopy,
    isHere,
    /** Notes beside an object's blob, where it has one, what the object is. */
    label: (object: NamedObject, signal: AbortSignal) => writeLabel(blobs, object, signal),
    /**
     * Returns where something is that is written to the store of kept objects without this service.
     */
    storedIn: async () => ({ of: "objects" as const, ...await here() }),
    /** When an object goes that is put now; undefined where it stays. At midnight, as at S3. */
    expiryOf(now: number): number | undefined {
      return expireDays === undefined ? undefined : Math.ceil(now / day + expireDays) * day;
    },
    /** Yields the blobs of a provider whose uploads bear marks that begin so, with their times. */
    async *marked(provider: string, mark: string, signal: AbortSignal) {
      for await (const { name, modifiedAt } of blobs.list(nameOf(provider, mark), signal)) {
        yield { kept: { blob: blobName(name), ...await here() }, modifiedAt };
      }
    },
  };

  /**
   * Keeps the bytes of an upload. No client has a say in the blob's name.
   *
   * @param mark Of the upload: where it is not recorded, its blob is found by it.
   */
  async function put(
    provider: string,
    mark: string,
    blob: NewBlob,
    signal: AbortSignal,
  ): Promise<KeptBlob> {
    try {
      const name = blobName(nameOf(provider, mark) + randomId(randomLength, randomBytes));
      const onDisk = await here();
      await blobs.put(name, blob, signal);
      return { blob: name, ...onDisk };
    } catch (error) {
      await cancelUnread(blob.body, error);
      throw error;
    }
  }

  /** Returns the disk that this gateway keeps objects on; empty for a bucket. */
  async function here(): Promise<Pick<KeptBlob, "disk">> {
    return disk ? { disk: `${await disk.id()}@${disk.machine}` } : {};
  }

  async function open(kept: KeptBlob, range: ByteRange, signal: AbortSignal) {
    if (!await isHere(kept)) throw elsewhere(kept);
    return await blobs.open(kept.blob, range, signal);
  }

  async function remove(kept: KeptBlob, signal: AbortSignal): Promise<void> {
    if (!await isHere(kept)) throw elsewhere(kept);
    await removeLabelled(blobs, kept, signal);
  }

  /** Removes the copy of a provider file. */
  async function removeCopy(
    provider: string,
    kept: KeptBlob,
    signal: AbortSignal,
  ): Promise<void> {
    await remove(kept, signal);
    await copies.forget(provider, kept.blob);
  }

  /** Returns whether a blob is in the store that this gateway sees. */
  async function isHere(kept: KeptBlob): Promise<boolean> {
    if (kept.disk === undefined || !disk) return kept.disk === undefined && !disk;
    return kept.disk.split("@", 1)[0] === await disk.id();
  }
}

/** The beginning of the names of a provider's blobs whose uploads bear a mark. */
function nameOf(provider: string, mark: string): string {
  return `${root}/${provider}/${mark.replace(/^\./, "")}`;
}

function elsewhere({ disk }: KeptBlob): Failure {
  const [id, machine] = disk?.split("@") ?? [];
  const where = disk === undefined
    ? "a bucket that the gateway's configuration no longer names"
    : `the disk of ${machine ? `the machine ${machine}` : "another machine"} (disk-id ${id})`;
  return new Failure(
    "unavailable",
    `The object is kept on ${where}, and this request came to a gateway that does not see it. ` +
      "Send it again. Operators: set objects.store to a bucket, which all machines reach, or let " +
      "the load balancer send all requests for one key to the same machine",
    { retryAfterSeconds: 1 },
  );
}

function none(): never {
  throw new Failure("unavailable", "The gateway has no store for objects. Tell its operator");
}

/** The settings of a gateway that keeps no objects. */
export const nothingKept: Omit<KeptDeps, "copies" | "randomBytes"> = {
  keep: "never",
  blobs: {
    draft: () => Promise.resolve().then(none),
    put: () => Promise.resolve().then(none),
    open: () => Promise.resolve().then(none),
    head: () => Promise.resolve(undefined),
    remove: () => Promise.resolve(),
    async *list() {},
  },
};
