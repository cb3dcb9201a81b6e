/** Deleting what only sharded jobs that run need: records in the blob store, and files at providers. */
import type { StoringProvider } from "../../providers/provider.ts";
import type { JobTools } from "../deps.ts";
import type { ShardedJob } from "./prepare.ts";
import { workName } from "./wire.ts";

/**
 * Deletes what a job that is over needed. May be cut short and repeated: the shards are forgotten
 * last, and files go once no job uses them, at the latest with the sweep of the trash.
 */
export async function releaseShards(
  { catalog: { shards }, objects }: JobTools,
  provider: StoringProvider,
  { scope, job, store, plan }: Pick<ShardedJob, "scope" | "job" | "store" | "plan">,
  signal: AbortSignal,
): Promise<void> {
  const all = await shards.all(scope, job.id);
  // Also those of a preparation that was cut short.
  for await (const { name } of store.list(workName(scope.provider, job.id, ""), signal)) {
    await store.remove(name, signal);
  }
  await shards.forget(scope, job.id);
  const files = all.map(({ file }) => file).filter((file) => file !== undefined);
  if (plan.input !== undefined) files.push(plan.input);
  for (const file of files) await objects.release(provider, file, signal);
}
