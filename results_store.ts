/** The store of results that the configuration names. */
import type { Config } from "./config.ts";
import { createBucketStore } from "./objects/results/bucket_store.ts";
import { createFolderStore } from "./objects/results/folder_store.ts";
import type { ResultStore } from "./objects/results/store.ts";
import type { Provider } from "./providers/provider.ts";

/**
 * Makes the store; undefined where results are not kept.
 *
 * @param earliest The earliest that it may be, in milliseconds since 1970.
 * @param drafts Folder for what is on its way to a bucket; the system's where absent.
 * @param failed Called where old drafts could not be cleared away.
 */
export function createResultStore(
  { keep }: Config,
  providers: ReadonlyMap<string, Provider>,
  earliest: () => number,
  drafts: string | undefined,
  failed: (error: unknown) => void,
): ResultStore | undefined {
  if (!keep) return undefined;
  if (keep.kind === "folder") return createFolderStore(keep.folder, earliest, failed);
  const provider = providers.get(keep.provider);
  if (!provider?.forwards) throw new Error(`The provider ${keep.provider} forwards to no S3`);
  const { bucket, prefix } = keep;
  return createBucketStore({ provider, bucket, prefix, ...(drafts && { folder: drafts }) });
}
