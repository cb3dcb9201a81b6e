/** The store of results that the configuration names. */
import type { Disk } from "./runtime/disk.ts";
import type { Config } from "./config.ts";
import { createBucketStore } from "./objects/results/bucket_store.ts";
import { createFolderStore } from "./objects/results/folder_store.ts";
import type { ResultStore } from "./objects/results/store.ts";
import type { Provider } from "./providers/provider.ts";

/**
 * Makes the store; undefined where results are not kept.
 *
 * @param due The earliest that it may be, in milliseconds since 1970.
 * @param drafts Folder for what is on its way to a bucket; the system's where absent.
 * @param failed Called where old drafts could not be cleared away.
 */
export function createResultStore(
  { keep }: Config,
  providers: ReadonlyMap<string, Provider>,
  due: () => number,
  drafts: string | undefined,
  disk: Disk,
  failed: (error: unknown) => void,
): ResultStore | undefined {
  if (!keep) return undefined;
  if (keep.kind === "folder") return onDisk(createFolderStore(keep.folder, due, failed), disk);
  const provider = providers.get(keep.provider);
  if (!provider?.forwards) throw new Error(`The provider ${keep.provider} forwards to no S3`);
  const { bucket, prefix } = keep;
  const folder = drafts && { folder: drafts };
  return onDisk(createBucketStore({ provider, bucket, prefix, ...folder }), disk);
}

/** A store whose drafts say so where the disk refuses them. */
function onDisk(store: ResultStore, disk: Disk): ResultStore {
  return {
    ...store,
    async draft() {
      const draft = await disk.write(() => store.draft());
      return {
        ...draft,
        write: (bytes) => disk.write(() => draft.write(bytes)),
        keep: (name, facts, signal) => disk.write(() => draft.keep(name, facts, signal)),
      };
    },
  };
}
