/**
 * Rounds of a sharded job: records that failed for a reason that passes run again, and those that
 * have no answer after that run at the job's fallback. Each round is recorded before any of it starts.
 */
import type { PreparedEntry, ShardEntry } from "../../catalog/shard_entries.ts";
import { Failure } from "../../codecs/failure.ts";
import { errorFacts } from "../../dialects/errors.ts";
import {
  type LongRecord,
  type ReadRecord,
  readRecords,
  translateRecord,
} from "../../dialects/stream.ts";
import { createBreath } from "../../runtime/breath.ts";
import type { JobTools } from "../deps.ts";
import { isLasting, patience } from "../verdict.ts";
import { Answers } from "./answers.ts";
import { Cutter } from "./cut.ts";
import { filesAgain, numbered } from "./input.ts";
import { lastRound, type Leg, legOf } from "./legs.ts";
import { fileOf, modelOf, ownLine, type ShardedJob } from "./prepare.ts";
import { type ReadBatches, readBatches } from "./read.ts";
import { wireIdsOf, workName } from "./wire.ts";

/** Plans the next round of a job whose shards are all over. Throws where their results cannot be read. */
export async function planRound(
  deps: JobTools,
  sharded: ShardedJob,
  prepared: PreparedEntry,
  shards: readonly ShardEntry[],
  signal: AbortSignal,
): Promise<void> {
  const { scope, job } = sharded;
  const record = (entry: PreparedEntry, more: readonly ShardEntry[]) =>
    deps.catalog.shards.prepare(scope, job.id, entry, more);
  const last = lastRound(sharded.plan);
  const read = await readOrGiveUp(deps, sharded, prepared, shards, signal);
  if (!read) return await record({ ...prepared, round: last }, []);
  try {
    const answers = new Answers(deps, sharded, shards, read.scratch);
    for (let round = (prepared.round ?? 0) + 1; round <= last; round++) {
      const cut = await cutRound(deps, sharded, { round, prepared, answers, shards }, signal);
      if (cut.length > 0) return await record({ ...prepared, round }, cut);
    }
    await record({ ...prepared, round: last }, []);
  } finally {
    read.scratch.close();
  }
}

/** Reads what there is; undefined once that was without success for so long that the job is to end. */
async function readOrGiveUp(
  deps: JobTools,
  sharded: ShardedJob,
  prepared: PreparedEntry,
  shards: readonly ShardEntry[],
  signal: AbortSignal,
): Promise<ReadBatches | undefined> {
  const endedAt = Math.max(0, ...shards.map(({ end }) => end?.endedAt ?? 0));
  const waited = deps.now() - endedAt;
  const read = await readBatches(deps, sharded, shards, prepared, signal);
  const [error] = read.errors;
  if (error === undefined && (!read.isShort || waited >= patience.late)) return read;
  read.scratch.close();
  if (waited >= (error === undefined || isLasting(error) ? patience.late : patience.refused)) {
    return undefined;
  }
  throw error ?? new Failure("unavailable", "Results of the job's batches are not all there yet");
}

/** A round that is being planned. */
interface Planning {
  readonly round: number;
  readonly prepared: PreparedEntry;
  readonly answers: Answers;
  readonly shards: readonly ShardEntry[];
}

async function cutRound(
  deps: JobTools,
  sharded: ShardedJob,
  { round, prepared, answers, shards }: Planning,
  signal: AbortSignal,
): Promise<readonly ShardEntry[]> {
  const { scope, job, plan, store } = sharded;
  const leg = legOf(deps, sharded, round);
  const first = Math.max(-1, ...shards.map(({ n }) => n)) + 1;
  const name = (n: number) => workName(scope.provider, job.id, `shard-${n}-${round}`);
  const cutter = new Cutter(
    store,
    leg.target.limits,
    name,
    signal,
    first,
    plan.source.in !== "folder",
  );
  const linesOf = createLines(deps, leg);
  try {
    const breath = createBreath({ signal });
    const file = fileOf(plan, job.modelId);
    for await (const { bytes, before } of filesAgain(deps, sharded, prepared, signal)) {
      for await (const read of readRecords(bytes, file, { breath, signal })) {
        if (read.kind === "broken") continue;
        const record = numbered(read, before);
        if (!await isToRun(record, answers, leg.isFallback)) continue;
        for (const line of linesOf(record)) await cutter.add(record, line);
      }
    }
    const cut = await cutter.end();
    const { account: { name: account } } = leg;
    const provider = leg.provider.name === scope.provider ? {} : { provider: leg.provider.name };
    return cut.map((shard) => ({ ...shard, account, round, ...provider }));
  } finally {
    await cutter.discard();
  }
}

/**
 * Returns whether a record runs in a round: at the fallback all that have no answer, else what may
 * pass.
 */
async function isToRun(
  record: ReadRecord | LongRecord,
  answers: Answers,
  isFallback: boolean,
): Promise<boolean> {
  const answer = await answers.of(record);
  if (answer.kind === "answer") return false;
  if (isFallback) return true;
  const { batch, end } = answers.shardOf(record) ?? {};
  // What was refused before there was a batch would be refused again.
  const isRefused = end?.status === "Failed" && batch === undefined;
  return !isRefused && errorFacts(answer.error).passing;
}

/** Makes what writes a record's lines for a leg; none where its target cannot take the record. */
function createLines(deps: JobTools, leg: Leg) {
  const { from, to } = leg.plan;
  const ids = wireIdsOf(leg.job.id, leg.account);
  const model = modelOf(deps, leg);
  const maxRecordBytes = leg.target.limits.recordBytes;
  return (record: ReadRecord | LongRecord): readonly string[] => {
    if (record.kind === "record" && from === to && !leg.isFallback) {
      return [ownLine(leg, ids, record)];
    }
    const target = { to, model, wireId: () => ids.of(record.record), maxRecordBytes };
    const { translated } = translateRecord(record, from, target);
    return translated.kind === "lines" ? translated.lines : [];
  };
}
