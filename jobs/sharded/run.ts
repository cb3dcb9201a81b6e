/** A job whose records are translated, or sent inline: several batches behind one run. */
import type { PreparedEntry, ShardEntry } from "../../catalog/shard_entries.ts";
import type { BatchId } from "../../codecs/ids.ts";
import { Failure } from "../../codecs/failure.ts";
import { isTerminal } from "../../codecs/job_status.ts";
import type { Account, StoringProvider } from "../../providers/provider.ts";
import { tracedStep } from "../../runtime/tracing.ts";
import { type JobTools, stepOf } from "../deps.ts";
import { type Outcome, withoutResults } from "../results/collect.ts";
import type { DoubtSoFar, Report, Run } from "../run.ts";
import { mayChange } from "../source.ts";
import { vanishedStatus } from "../state.ts";
import { patience, verdictOf, type Wait } from "../verdict.ts";
import { writeResults } from "./gather.ts";
import { outcomeOf } from "./outcome.ts";
import { legOf, mayGoOn } from "./legs.ts";
import { type ReadBatches, readBatches } from "./read.ts";
import type { ShardedJob } from "./prepare.ts";
import { releaseShards } from "./release.ts";
import { endOf, type Seen, sumOf, waitedOf } from "./sum.ts";

/**
 * Makes the run of a sharded job.
 *
 * @param push Goes on with what is left to be prepared or started, behind the caller.
 */
export function createShardedRun(
  deps: JobTools,
  provider: StoringProvider,
  sharded: ShardedJob,
  push: () => void,
): Run {
  const { scope, job, plan } = sharded;
  const { shards } = deps.catalog;
  return {
    name: `batches of job ${job.id}`,
    async report(signal) {
      const prepared = await shards.prepared(scope, job.id);
      if (!prepared) return beforeBatches(deps, sharded, push);
      const seen = await Promise.all(
        (await shards.all(scope, job.id)).map((shard) => look(deps, sharded, shard, signal)),
      );
      const now = seen.map(({ shard }) => shard);
      const isLeft = mayGoOn(plan, prepared, now);
      // A dry run is over as soon as its input was read.
      const goesOn = plan.isDryRun || !job.stopRequested && isLeft;
      const isCutShort = isLeft && job.stopRequested && job.timedOut !== true;
      const waited = waitedOf(now, job.submittedAt);
      const report = {
        ...sumOf(seen, prepared, job.stopRequested, { goesOn, isCutShort }),
        ...(waited && { waited }),
      };
      if (goesOn) push();
      const isStarted = seen.every(({ shard }) => shard.batch !== undefined || shard.end);
      if (!isStarted && !isTerminal(report.status)) push();
      return report;
    },
    async stop(signal) {
      for (const { batch, end, round } of await shards.all(scope, job.id)) {
        if (batch === undefined || end) continue;
        await stopBatch(legOf(deps, sharded, round).account, batch, signal);
      }
    },
    collect: (report, doubt, signal) => collect(deps, sharded, report, doubt, signal),
    release: (signal) => releaseShards(deps, provider, sharded, signal),
  };
}

/** A job that has no batches yet. Where its stop was asked for, it gets none. */
function beforeBatches(deps: JobTools, { job }: ShardedJob, push: () => void): Report {
  if (!job.stopRequested) push();
  return {
    status: job.stopRequested ? "Stopped" : job.status === "Submitted" ? "Submitted" : "Validating",
    rawStatus: "",
    counts: undefined,
    message: undefined,
    results: [],
    endedAt: job.stopRequested ? new Date(deps.now()) : undefined,
    expiresAt: undefined,
  };
}

/** Stops a batch; one that is over already, or is not there, is not an error. */
async function stopBatch({ batches }: Account, batch: BatchId, signal: AbortSignal): Promise<void> {
  try {
    await batches.stop(batch, signal);
  } catch (error) {
    const isOver = error instanceof Failure && ["conflict", "not-found"].includes(error.kind);
    if (!isOver) throw error;
  }
}

/** Asks for a shard's batch, unless it is over, and records its end. */
async function look(
  deps: JobTools,
  sharded: ShardedJob,
  shard: ShardEntry,
  signal: AbortSignal,
): Promise<Seen> {
  if (shard.end || shard.batch === undefined) return { shard };
  const { scope, job, account, provider } = legOf(deps, sharded, shard.round);
  const report = await account.batches.get(shard.batch, signal).catch((error: unknown) => {
    if (error instanceof Failure && error.kind === "not-found") return error;
    throw error;
  });
  const name = { provider: provider.name, account: account.name };
  if (report instanceof Failure) {
    const now = await missed(deps, sharded, shard, report);
    if (now.end) deps.queue(name);
    return { shard: now };
  }
  const isToBeStopped = job.stopRequested && !isTerminal(report.status) &&
    report.status !== "Stopping";
  // It may have been made while the others were being stopped.
  if (isToBeStopped) await stopBatch(account, shard.batch, signal);
  if (report.isQueueFull) {
    const why = report.message ?? "The provider's queue is full.";
    const waitedAt = deps.clock.due();
    const again = ({ batch: _, askedAt: _1, ...old }: ShardEntry) => (
      { ...old, waitsFor: why, waitedAt }
    );
    deps.queue(name, why);
    return { shard: await deps.catalog.shards.update(scope, job.id, shard.n, again) ?? shard };
  }
  const end = endOf(report, deps.now(), shard);
  if (!end) return { shard: await found(deps, sharded, shard), report };
  const move = ({ missedAt: _, ...old }: ShardEntry) => ({ ...old, end });
  const now = await deps.catalog.shards.update(scope, job.id, shard.n, move);
  // Not before: the job that goes on counts the batches that run by what is recorded.
  deps.queue(name);
  return { shard: now ?? shard, report };
}

/** A shard whose batch its provider does not have: after long doubt that is its end. */
async function missed(
  { catalog: { shards }, clock, now, warn }: JobTools,
  { scope, job }: ShardedJob,
  shard: ShardEntry,
  error: Failure,
): Promise<ShardEntry> {
  const { n, missedAt, batch } = shard;
  const fields = { job: job.id, provider: scope.provider, batch, error };
  if (missedAt === undefined) {
    warn("A provider does not have a batch of a job; its records wait", fields);
    const move = (old: ShardEntry) => ({ ...old, missedAt: clock.latest() });
    return await shards.update(scope, job.id, n, move) ?? shard;
  }
  if (clock.due() - missedAt < patience.missing) return shard;
  const message = `Provider ${scope.provider} does not have the batch ${batch} any more: it was ` +
    "deleted there. What became of its records is not known.";
  const status = vanishedStatus(job, now());
  const end = { status, message, results: [], endedAt: now() };
  return await shards.update(scope, job.id, n, (old) => ({ ...old, end })) ?? shard;
}

/** Takes back that a shard's batch is missing. */
async function found(
  { catalog: { shards } }: JobTools,
  { scope, job }: ShardedJob,
  shard: ShardEntry,
): Promise<ShardEntry> {
  if (shard.missedAt === undefined) return shard;
  const move = ({ missedAt: _, ...old }: ShardEntry) => old;
  return await shards.update(scope, job.id, shard.n, move) ?? shard;
}

/** Reads and writes the results; a job that failed as a whole has none. */
async function collect(
  deps: JobTools,
  sharded: ShardedJob,
  report: Report,
  doubt: DoubtSoFar,
  signal: AbortSignal,
): Promise<Outcome | Wait> {
  const { scope, job } = sharded;
  const prepared = await deps.catalog.shards.prepared(scope, job.id);
  const shards = prepared ? await deps.catalog.shards.all(scope, job.id) : [];
  if (report.status === "Failed") {
    const why = report.message ?? "The provider failed the batch and gave no reason.";
    return withoutResults(deps, job, report.counts, why);
  }
  if (!prepared && mayChange(sharded.plan)) {
    return withoutResults(deps, job, undefined, "Stopped before its input was read.");
  }
  // Its batch may have been made since the report: it is to be stopped first.
  if (shards.some(({ askedAt, end }) => askedAt !== undefined && !end)) {
    return { do: "wait", because: "late" };
  }
  const read = await readPatiently(deps, sharded, shards, prepared, doubt, signal);
  if ("do" in read) return read;
  try {
    const gathered = await tracedStep(
      "gather",
      stepOf(sharded),
      () => writeResults(deps, sharded, shards, prepared, read, signal),
    );
    return outcomeOf(deps, sharded, report, gathered, prepared);
  } finally {
    read.scratch.close();
  }
}

/** Reads the batches; after long doubt, records of those that cannot be read count as lost. */
async function readPatiently(
  deps: JobTools,
  sharded: ShardedJob,
  shards: readonly ShardEntry[],
  prepared: PreparedEntry | undefined,
  doubt: DoubtSoFar,
  signal: AbortSignal,
): Promise<ReadBatches | Wait> {
  const read = await readBatches(deps, sharded, shards, prepared, signal);
  const { scratch, isShort, errors } = read;
  const verdict = verdictOf({ isShort, errors, ...doubt });
  if (verdict.do === "wait") {
    scratch.close();
    return verdict;
  }
  for (const error of errors) {
    deps.warn("Results of a batch cannot be read any more", { job: sharded.job.id, error });
  }
  return read;
}
