/** Starting the shards of a job: each is uploaded where its provider takes files, and asked for once. */
import type { ShardEntry } from "../../catalog/shard_entries.ts";
import { Failure } from "../../codecs/failure.ts";
import { isTerminal } from "../../codecs/job_status.ts";
import { firstLine } from "../../codecs/jsonl.ts";
import { envelope } from "../../dialects/envelopes.ts";
import { envelopeOf } from "../../dialects/names.ts";
import { parseLine } from "../../dialects/stream.ts";
import type { Batch, StoringProvider } from "../../providers/provider.ts";
import { tracedStep } from "../../runtime/tracing.ts";
import { type JobTools, stepOf } from "../deps.ts";
import { whenReady } from "../fresh_input.ts";
import { askFor, type Claim, type CreateOutcome, findUntilCertain } from "../once.ts";
import { isLasting } from "../verdict.ts";
import { legOf } from "./legs.ts";
import type { ShardedJob } from "./prepare.ts";
import type { Turns } from "./turns.ts";
import { wireIdsOf } from "./wire.ts";

/** A line of results can be this long. */
const maxLineBytes = 128 * 2 ** 20;

/**
 * Starts the shards that have no batch yet. Throws where the provider cannot be asked for now; what
 * it refuses for good ends the shard.
 *
 * @param goesOn Whether the job is still to be started.
 */
export async function startShards(
  deps: JobTools,
  sharded: ShardedJob,
  goesOn: () => Promise<boolean>,
  turns: Turns,
  signal: AbortSignal,
): Promise<void> {
  const { scope, job } = sharded;
  const { shards } = deps.catalog;
  for (const { n } of await shards.all(scope, job.id)) {
    const shard = (await shards.all(scope, job.id)).find((one) => one.n === n);
    if (!shard || shard.batch !== undefined || shard.end) continue;
    // A batch that may have been made is looked for, also where the job is to be stopped.
    if (shard.askedAt === undefined && !await goesOn()) return;
    const leg = legOf(deps, sharded, shard.round);
    const { provider } = leg;
    const name = { provider: provider.name, account: leg.account.name };
    const work = { deps, provider, sharded: leg, shard, signal };
    const reason = shard.askedAt === undefined ? turns.reason(name, sharded) : undefined;
    if (reason !== undefined) return await wait(work, turns, reason, goesOn);
    const ends = turns.ends(name);
    try {
      await tracedStep("start shard", stepOf(leg), async (note) => {
        note({ "batchway.shard": n });
        await start(work);
      });
      turns.served(name, sharded);
    } catch (error) {
      if (error instanceof Failure && error.kind === "throttled") {
        turns.full(name, error.message, ends);
        return await wait(work, turns, error.message, goesOn);
      }
      if (!isLasting(error)) throw error;
      await refuse(work, error);
    }
  }
}

/** Leaves a job until its next batch can be started. */
async function wait(
  work: Starting,
  turns: Turns,
  reason: string,
  goesOn: () => Promise<boolean>,
): Promise<void> {
  const { deps, provider, sharded, shard: { n, account } } = work;
  const { scope, job } = sharded;
  const { shards } = deps.catalog;
  const waitedAt = deps.clock.due();
  await shards.update(
    scope,
    job.id,
    n,
    (old) => old.batch !== undefined ? undefined : { ...old, waitsFor: reason, waitedAt },
  );
  const left = (await shards.all(scope, job.id))
    .filter(({ batch, end, askedAt }) => batch === undefined && !end && askedAt === undefined);
  turns.wait({ provider: provider.name, account }, { scope, job }, left.length);
  // One that has ended by now waits for nothing; one that ends from now on leaves at its end.
  if (!await goesOn()) turns.leave({ scope, job });
}

/** A shard that is being started. */
interface Starting {
  readonly deps: JobTools;
  readonly provider: StoringProvider;
  readonly sharded: ShardedJob;
  readonly shard: ShardEntry;
  readonly signal: AbortSignal;
}

/** Puts a shard's records where its provider takes them from. */
async function uploaded(work: Starting): Promise<ShardEntry> {
  const { deps, provider, sharded: { scope, job, account, store }, shard, signal } = work;
  const { files } = account;
  if (!files || account.batches.createInline || shard.file !== undefined) return shard;
  const { blob, bytes } = shard.lines;
  let now: ShardEntry | undefined;
  await deps.objects.putFile({
    provider,
    account,
    tenant: scope.tenant,
    name: `${job.id}-${shard.n}.jsonl`,
    bytes,
    open: () => store.open(blob, { first: 0 }, signal),
    async record(file, registration) {
      const move = (old: ShardEntry) => ({ ...old, file });
      now = await deps.catalog.shards.update(scope, job.id, shard.n, move, { registration });
      return now !== undefined;
    },
  }, signal);
  return now ?? shard;
}

/** Asks for a shard's batch, unless it is there already. */
async function start(work: Starting): Promise<void> {
  const { deps, sharded: { scope, job, account }, shard, signal } = work;
  const { shards } = deps.catalog;
  const update = (move: (old: ShardEntry) => ShardEntry | undefined) =>
    shards.update(scope, job.id, shard.n, move);
  const claim = claimOf(work);
  const askedAt = await askedAtOf(work);
  const known = askedAt === undefined
    ? undefined
    : await findUntilCertain(deps, account, claim, askedAt, signal);
  const ready = known ? work : { ...work, shard: await uploaded(work) };
  if (!known) {
    let isOthers = false;
    const move = ({ waitsFor: _, ...old }: ShardEntry) => {
      // A gateway that lost its lease unawares may be late: another one has asked by now.
      isOthers = old.askedAt !== shard.askedAt || old.batch !== undefined || old.end !== undefined;
      return isOthers ? undefined : { ...old, askedAt: deps.clock.latest() };
    };
    const { running } = work.sharded.target.limits;
    // In this step, so that a stop that comes now finds either no batch or one to be stopped.
    const isHeld = await shards.update(scope, job.id, shard.n, move, {
      wanted: true,
      ...(running !== undefined && shard.askedAt === undefined && { running }),
    });
    if (isOthers) return;
    if (!isHeld) {
      // The one that was asked for before was never made.
      await update(({ askedAt: _, ...old }) => old);
      return;
    }
  }
  const outcome: CreateOutcome = known
    ? { batch: known }
    : await askFor(account, claim, () => create(ready), signal);
  if ("batch" in outcome) {
    await update((old) => ({ ...old, batch: outcome.batch.id }));
    return;
  }
  // It made no batch: the next attempt need not look for one.
  await update(({ askedAt: _, ...old }) => old);
  throw outcome.refused;
}

/**
 * Returns when a shard's batch was last asked for; undefined where it never was. A job of before
 * the catalog was set back may have been asked for until then, whatever the backup says.
 */
async function askedAtOf(
  { deps, sharded: { job }, shard: { askedAt } }: Starting,
): Promise<number | undefined> {
  const restoredAt = await deps.catalog.shards.restoredAt();
  if (restoredAt === undefined || job.submittedAt > restoredAt) return askedAt;
  return Math.max(askedAt ?? 0, restoredAt);
}

async function create(work: Starting): Promise<Batch> {
  const { deps, sharded: { job, plan, account, store }, shard, signal } = work;
  const { batches } = account;
  if (batches.createInline) {
    const { blob, bytes } = shard.lines;
    return await batches.createInline(
      { bytes, body: await store.open(blob, { first: 0 }, signal) },
      signal,
    );
  }
  const { file } = shard;
  if (file === undefined) throw new Failure("internal", "A shard has no file");
  const tags = await deps.catalog.jobs.tags(work.sharded.scope, job.id);
  const wanted = {
    jobId: job.id,
    jobName: job.name,
    modelId: plan.target.modelId,
    input: file,
    shard: shard.n,
    tags,
  };
  return await whenReady(deps, account, file, () => batches.create(wanted, signal));
}

/** Ends a shard that its provider refuses. */
async function refuse({ deps, sharded: { scope, job }, shard }: Starting, error: unknown) {
  const message = error instanceof Error ? error.message : "The provider gave no reason.";
  await deps.catalog.shards.update(scope, job.id, shard.n, (old) => ({
    ...old,
    end: { status: "Failed", message, results: [], endedAt: deps.now() },
  }));
}

/** The claim of a shard's batch; where batches bear no job id, it is known by its records. */
function claimOf(work: Starting): Claim {
  const { sharded: { job, account }, shard } = work;
  const claim = { jobId: job.id, shard: shard.n, since: job.submittedAt };
  if (!account.batches.createInline) return claim;
  return { ...claim, recognize: (batch) => recognize(work, batch) };
}

async function recognize(work: Starting, batch: Batch): Promise<boolean | "maybe"> {
  const { deps, provider, sharded: { job, plan, account }, shard, signal } = work;
  if (batch.counts && batch.counts.total !== shard.records) return false;
  const owner = await deps.catalog.jobs.batch(provider.name, batch.id);
  if (owner) return false;
  if (!isTerminal(batch.status)) return "maybe";
  const { parts } = await account.batches.results(batch, signal);
  const [part] = parts;
  if (!part) return "maybe";
  const { body } = await account.batches.openResults(batch.id, part.name, undefined, signal);
  const line = await firstLine(body, maxLineBytes);
  const json = line === undefined ? "" : parseLine(line);
  if (typeof json === "string") return "maybe";
  const id = envelope(envelopeOf(plan.to)).readResult(json).id ?? "";
  const number = wireIdsOf(job.id, account).numberOf(id);
  return number !== undefined && number >= shard.first && number <= shard.last;
}
