/**
 * Jobs of one batch that their provider's queue has no room for: their records run in shards instead,
 * which wait for room and take turns with the others of the account.
 */
import type { JobEntry, ObjectEntry } from "../catalog/entries.ts";
import type { ShardedPlan } from "../catalog/plan.ts";
import { isSingle } from "../catalog/plans.ts";
import { Failure, type FailureKind } from "../codecs/failure.ts";
import type { FileId } from "../codecs/ids.ts";
import { isTerminal } from "../codecs/job_status.ts";
import { firstLine } from "../codecs/jsonl.ts";
import { parseLine } from "../dialects/stream.ts";
import type { StoringProvider } from "../providers/provider.ts";
import { accountOf, filesOf, type Reach } from "../reach/reach.ts";
import type { JobTools, ScopedJob } from "./deps.ts";
import { canBeRead } from "./over_limits.ts";
import { planOf } from "./plan.ts";
import type { Report } from "./run.ts";
import { submitted } from "./state.ts";

/** The first record of an input must end within so many bytes to be looked at. */
const maxHeadBytes = 64 * 2 ** 20;

/** Failures that leave a job as it was planned. */
const lasting: ReadonlySet<FailureKind> = new Set([
  "invalid",
  "not-found",
  "too-large",
  "unsupported",
]);

/** A job that one batch was to run. */
export interface DirectJob {
  readonly tenant: string;
  readonly modelId: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** An input that is a provider file. */
type Input = Pick<ObjectEntry, "file" | "held" | "bytes">;

/**
 * Plans shards for a job in its provider's own dialect; undefined where its input cannot be read back,
 * or is of a form that only the provider itself can run.
 */
export async function shardedPlan(
  deps: JobTools,
  provider: StoringProvider,
  { tenant, modelId, tags }: DirectJob,
  { file, held, bytes }: Input,
  signal: AbortSignal,
): Promise<ShardedPlan | undefined> {
  const { name, target } = provider;
  const reach: Reach = { tenant, native: true, provider };
  const isReadable = held.in === "provider" && canBeRead(reach, { held });
  if (!target || !deps.store || !isReadable) return undefined;
  try {
    const body = await deps.objects.read(
      reach,
      { record: { file, held, bytes } },
      undefined,
      signal,
    );
    const line = await firstLine(body, maxHeadBytes);
    if (line === undefined) return undefined;
    const mustRead = "The queue of the provider is full";
    const question = { provider: name, target, modelId, tags, models: deps.models, mustRead };
    const head = { kind: "line", line: parseLine(line), isFile: true } as const;
    const planned = planOf(question, head, false);
    if (planned.kind === "direct") return undefined;
    const { from } = planned;
    const source = { in: "object", provider: name, file, held, bytes } as const;
    // Results come in the provider's own form, as those of one batch do.
    return { ...planned, back: from, account: held.account, source, input: file };
  } catch (error) {
    if (error instanceof Failure && lasting.has(error.kind)) return undefined;
    throw error;
  }
}

/** As {@linkcode shardedPlan}, for a job that has only the id of its input. */
export async function shardedPlanOf(
  deps: JobTools,
  provider: StoringProvider,
  job: DirectJob,
  plan: { readonly account: string; readonly input: FileId },
  signal: AbortSignal,
): Promise<ShardedPlan | undefined> {
  try {
    const input = await findInput(
      deps,
      { tenant: job.tenant, native: true, provider },
      plan,
      signal,
    );
    return await shardedPlan(deps, provider, job, input, signal);
  } catch (error) {
    if (error instanceof Failure && lasting.has(error.kind)) return undefined;
    throw error;
  }
}

/** Finds an input; one whose name was deleted meanwhile is still at the provider. */
async function findInput(
  { objects }: JobTools,
  reach: Reach,
  { account, input: file }: { readonly account: string; readonly input: FileId },
  signal: AbortSignal,
): Promise<Input> {
  const found = await objects.findFile(reach, file, signal);
  if (found) return found.record;
  const { provider } = reach;
  const { bytes } = await filesOf(provider, accountOf(provider, account)).head(file, signal);
  return { file, held: { in: "provider", file, account }, bytes };
}

/**
 * Gives a job shards whose only batch failed because the provider's queue was full: it ran nothing.
 *
 * @returns The job as it is now; undefined where it is to end as its batch did.
 */
export async function requeue(
  deps: JobTools,
  provider: StoringProvider,
  { scope, job }: ScopedJob,
  { message }: Report,
): Promise<JobEntry | undefined> {
  const { plan } = job;
  if (plan.kind !== "direct" || plan.input === undefined || !mayWait(job)) return undefined;
  const { account, input } = plan;
  const { catalog: { jobs }, closing, now } = deps;
  const direct = { ...job, tenant: scope.tenant, tags: await jobs.tags(scope, job.id) };
  const sharded = await shardedPlanOf(deps, provider, direct, { account, input }, closing);
  if (!sharded) return undefined;
  const next = await jobs.replan(
    scope,
    job.id,
    sharded,
    (old) =>
      isSingle(old) && mayWait(old) ? { ...submitted(old, now()), status: old.status } : undefined,
  );
  if (!next || isSingle(next)) return undefined;
  deps.queue({ provider: provider.name, account }, message ?? "The provider's queue is full.");
  deps.push(provider, { scope, job: next });
  return next;
}

function mayWait({ status, stopRequested }: JobEntry): boolean {
  return !stopRequested && !isTerminal(status);
}
