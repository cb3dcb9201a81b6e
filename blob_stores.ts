/** The blob stores that the configuration names, and what waits or is kept in them. */
import { createBucketStore } from "./blobs/bucket.ts";
import { createClientBucket, type OpenBucket } from "./blobs/client_bucket.ts";
import { createFolderStore } from "./blobs/folder.ts";
import type { BlobStore } from "./blobs/store.ts";
import type { Config } from "./config/config.ts";
import type { StoreSettings } from "./config/stores.ts";
import { diskId } from "./objects/disk_id.ts";
import type { Disks } from "./objects/disks.ts";
import type { KeptDeps } from "./objects/kept.ts";
import { createPartSpool, type PartSpool, type PartSpoolOptions } from "./objects/part_spool.ts";
import { createPartStore } from "./objects/part_store.ts";
import type { Provider } from "./providers/provider.ts";
import { createDisk, type Disk } from "./runtime/disk.ts";
import { found } from "./runtime/files.ts";
import { once } from "./runtime/single_flight.ts";

/** Dependencies of the stores. */
export interface StoresDeps {
  readonly providers: ReadonlyMap<string, Provider>;
  readonly disks: Disks;
  /** Returns the earliest that it may be, in milliseconds since 1970. */
  readonly due: () => number;
  readonly folders: StoreFolders;
  /** This machine's name; empty where it is not known. */
  readonly machine: string;
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Folders of the gateway's own, by what is in them. */
export interface StoreFolders {
  readonly parts: PartSpoolOptions;
  /** What is on its way to a bucket; the system's where absent. */
  readonly drafts: string | undefined;
  /** Kept objects, unless the configuration names another place. */
  readonly objects: string;
}

/** The stores of a gateway: of results, of objects that it keeps, and of parts of uploads. */
export interface Stores {
  /** Absent where results are not kept. */
  readonly results?: BlobStore;
  readonly kept: Omit<KeptDeps, "copies" | "randomBytes">;
  readonly parts: PartSpool;
  /** Opens buckets of clients. */
  readonly openBucket: OpenBucket;
}

/** Makes the stores; nothing is on disk before something is written. */
export function createStores(
  { keep, objects }: Pick<Config, "keep" | "objects">,
  deps: StoresDeps,
): Stores {
  const { disks, folders, machine } = deps;
  const place = objectsLocation(objects.store, folders);
  const blobs = createBlobStore(place, disks.objects, deps);
  const { expireDays } = objects;
  const disk = place.kind === "folder" && {
    id: once(() => disks.objects.write(() => diskId(place.folder))),
    // A part of what is recorded with each object.
    machine: machine.replaceAll(/[^A-Za-z0-9.-]/g, "").slice(0, 64),
  };
  return {
    ...(keep && { results: createBlobStore(keep, disks.results, deps) }),
    kept: {
      blobs,
      keep: objects.keep,
      ...(disk && { disk }),
      ...(expireDays !== undefined && { expireDays }),
    },
    parts: place.kind === "folder"
      ? createPartSpool({ ...folders.parts, disk: disks.parts })
      : createPartStore(blobs, `s3://${place.bucket}/${place.prefix}`),
    openBucket: createClientBucket,
  };
}

/** The folder or bucket that objects are kept in. */
export function objectsLocation(
  store: StoreSettings | undefined,
  { objects }: Pick<StoreFolders, "objects">,
): StoreSettings {
  return store ?? { kind: "folder", folder: objects };
}

/**
 * The store of kept objects for a look from outside, which makes nothing there. The id of its disk is
 * absent for a bucket, and empty for a folder that has none yet.
 */
export async function keptLocation(
  { data, objects: { store } }: Pick<Config, "data" | "objects">,
  providers: ReadonlyMap<string, Provider>,
): Promise<{ readonly blobs: BlobStore; readonly disk?: string }> {
  const place = objectsLocation(store, { objects: `${data}/objects` });
  const warn = () => {};
  const folders = { drafts: undefined };
  const blobs = createBlobStore(place, createDisk("objects"), {
    providers,
    due: () => 0,
    folders,
    warn,
  });
  if (place.kind === "bucket") return { blobs };
  return { blobs, disk: await found(Deno.readTextFile(`${place.folder}/disk-id`)) ?? "" };
}

function createBlobStore(
  place: StoreSettings,
  disk: Disk,
  { providers, due, folders: { drafts }, warn }: Pick<StoresDeps, "providers" | "due" | "warn"> & {
    readonly folders: Pick<StoreFolders, "drafts">;
  },
): BlobStore {
  if (place.kind === "folder") {
    const failed = (error: unknown) => warn("Old drafts could not be cleared away", { error });
    return createFolderStore({ folder: place.folder, due, disk, failed });
  }
  const { forward } = providers.get(place.provider) ?? {};
  if (!forward) throw new Error(`The provider ${place.provider} forwards to no S3`);
  const { bucket, prefix } = place;
  const folder = drafts !== undefined && { folder: drafts };
  return createBucketStore({ provider: forward, bucket, prefix, disk, ...folder });
}

/** The folders of the stores, beside their catalog, whose gateways tidy up there. */
export async function foldersOf(
  { data, objects }: Pick<Config, "data" | "objects">,
  catalogPath: string | undefined,
): Promise<StoreFolders & { close(): Promise<void> }> {
  const close = () => Promise.resolve();
  const drafts = `${data}/spool/results`;
  if (catalogPath === undefined) {
    return { parts: { folder: `${data}/spool` }, drafts, objects: `${data}/objects`, close };
  }
  if (catalogPath !== ":memory:") {
    const [folder, kept] = [`${catalogPath}.spool`, `${catalogPath}.objects`];
    return { parts: { folder }, drafts, objects: kept, close };
  }
  // Nothing of a catalog in memory may be found on disk once it is gone.
  const isNeeded = objects.store === undefined;
  const temporary = isNeeded ? await Deno.makeTempDir({ prefix: "batchway-objects-" }) : "";
  return {
    parts: {},
    drafts: undefined,
    objects: temporary,
    close: () => isNeeded ? Deno.remove(temporary, { recursive: true }) : Promise.resolve(),
  };
}

/** Returns where on this machine things are kept, by what they are; buckets are not on it. */
export function storageFolders(
  { data, keep, objects }: Pick<Config, "data" | "keep" | "objects">,
  folders: StoreFolders,
  catalog: { readonly kind: string; readonly path?: string },
): Readonly<Record<string, readonly string[]>> {
  const kept = objectsLocation(objects.store, folders);
  const { path } = catalog;
  const isFile = catalog.kind === "file" && path !== undefined && path !== ":memory:";
  const spool = folders.parts.folder ?? (isFile ? `${data}/spool` : undefined);
  return {
    ...(isFile && { catalog: ["", "-wal", "-shm"].map((end) => `${path}${end}`) }),
    ...(kept.kind === "folder" && { objects: [kept.folder] }),
    ...(keep?.kind === "folder" && { results: [keep.folder] }),
    ...(spool !== undefined && { spool: [spool] }),
  };
}
