/** The blob stores that the configuration names. */
import { createBucketStore } from "./blobs/bucket.ts";
import { createFolderStore } from "./blobs/folder.ts";
import type { BlobStore } from "./blobs/store.ts";
import type { Disk } from "./runtime/disk.ts";
import type { StoreSettings } from "./config/stores.ts";
import type { Provider } from "./providers/provider.ts";

/** Dependencies of a blob store. */
export interface BlobStoreDeps {
  readonly providers: ReadonlyMap<string, Provider>;
  /** Returns the earliest that it may be, in milliseconds since 1970. */
  readonly due: () => number;
  /** Folder for what is on its way to a bucket; the system's where absent. */
  readonly drafts: string | undefined;
  readonly disk: Disk;
  /** Called where old drafts could not be cleared away. */
  readonly failed: (error: unknown) => void;
}

/** Makes a store in a folder or a bucket. */
export function createBlobStore(
  place: StoreSettings,
  { providers, due, drafts, disk, failed }: BlobStoreDeps,
): BlobStore {
  if (place.kind === "folder") {
    return createFolderStore({ folder: place.folder, due, disk, failed });
  }
  const provider = providers.get(place.provider)?.forward;
  if (!provider) throw new Error(`The provider ${place.provider} forwards to no S3`);
  const { bucket, prefix } = place;
  return createBucketStore({ provider, bucket, prefix, disk, ...(drafts && { folder: drafts }) });
}
