/** Deleting what only sharded jobs that run need: records in the blob store, and files at providers. */
import type { Scope } from "../../catalog/keys.ts";
import { fileId, type JobId } from "../../codecs/ids.ts";
import type { BlobStore } from "../../blobs/store.ts";
import type { StoringProvider } from "../../providers/provider.ts";
import type { JobTools } from "../deps.ts";
import type { ShardedJob } from "./prepare.ts";
import { resultsFolder, workName } from "./wire.ts";

/**
 * Deletes what a job that is over needed, and what it has written and was not recorded with. May be
 * cut short and repeated: the shards are forgotten last, and files go once no job uses them, at the
 * latest with the sweep of the trash.
 */
export async function releaseShards(
  deps: JobTools,
  provider: StoringProvider,
  { scope, job, store, plan }: Pick<ShardedJob, "scope" | "job" | "store" | "plan">,
  signal: AbortSignal,
): Promise<void> {
  const { catalog: { pins, shards }, objects, providers } = deps;
  const all = await shards.all(scope, job.id);
  // Also those of a preparation that was cut short.
  for await (const { name } of store.list(workName(scope.provider, job.id, ""), signal)) {
    await store.remove(name, signal);
  }
  await removeUnrecorded(deps, scope, job.id, store, signal);
  const held = await pins.forget(scope, job.id);
  await shards.forget(scope, job.id);
  for (const { file, provider: other } of all) {
    const at = other === undefined ? provider : providers.get(other)?.stores;
    if (file !== undefined && at) await objects.release(at, file, signal);
  }
  for (const { provider: name, file } of held) {
    const at = providers.get(name)?.stores;
    if (at) await objects.release(at, file, signal);
  }
  if (plan.input !== undefined) await objects.release(provider, plan.input, signal);
}

/** Removes results and reports that no object stands for: their job has ended without them. */
async function removeUnrecorded(
  { catalog: { objects } }: JobTools,
  { provider }: Scope,
  id: JobId,
  store: BlobStore,
  signal: AbortSignal,
): Promise<void> {
  const folder = resultsFolder(provider, id);
  const names: string[] = [];
  for await (const { name } of store.list(folder, signal)) names.push(name);
  const files = names.map((name) => fileId(name.slice(folder.length)));
  const known = await objects.known(provider, files);
  for (const [at, file] of files.entries()) {
    // One whose name was deleted may be the input of another job: the trash keeps it until then.
    if (known.has(file) || await objects.trashed(provider, file)) continue;
    await store.remove(names[at] ?? "", signal);
  }
}
