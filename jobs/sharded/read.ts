/** Reading the results of a sharded job: the lines of all its batches. */
import { Tally } from "../../accounts/tally.ts";
import type { PreparedEntry, ShardEntry } from "../../catalog/shard_entries.ts";
import { isBlank, splitLines } from "../../codecs/jsonl.ts";
import type { BatchId } from "../../codecs/ids.ts";
import { envelope } from "../../dialects/envelopes.ts";
import { envelopeOf } from "../../dialects/names.ts";
import { parseLine } from "../../dialects/stream.ts";
import { ranAt } from "./ran_at.ts";
import { tokensOf } from "../../dialects/token_counts.ts";
import { createBreath } from "../../runtime/breath.ts";
import { isDiskFailure } from "../../runtime/disk.ts";
import type { JobTools } from "../deps.ts";
import { readingPause, readings } from "../results/read.ts";
import { expectedOf } from "../results/report.ts";
import type { ShardedJob } from "./prepare.ts";
import { legOf } from "./legs.ts";
import { Scratch } from "./scratch.ts";
import { wireIdsOf } from "./wire.ts";

/** A line of results can be this long. */
const maxLineBytes = 128 * 2 ** 20;

/** Results that were read. */
export interface ReadBatches {
  readonly scratch: Scratch;
  /** The tokens of every attempt at a record, where it ran. */
  readonly tally: Tally;
  /** Whether a batch has more results than those that it names hold. */
  readonly isShort: boolean;
  /** Why batches could not be read, or not to their ends. */
  readonly errors: readonly unknown[];
}

/**
 * Reads the results of a job's batches, each as far as that goes.
 *
 * @param prepared Absent where the job ended before its input was read: it has no batch.
 */
export async function readBatches(
  deps: JobTools,
  sharded: ShardedJob,
  shards: readonly ShardEntry[],
  prepared: PreparedEntry | undefined,
  signal: AbortSignal,
): Promise<ReadBatches> {
  const { scope, job } = sharded;
  const scratch = await Scratch.open(deps.scratch, prepared?.records ?? 0, scope.tenant);
  const tally = new Tally();
  try {
    let isShort = false;
    const errors: unknown[] = [];
    for (const { batch, missedAt, round = 0 } of shards) {
      if (batch === undefined || missedAt !== undefined) continue;
      scratch.round = round;
      try {
        const leg = legOf(deps, sharded, round);
        if (await readBatch(deps, leg, batch, { scratch, tally }, signal)) isShort = true;
      } catch (error) {
        signal.throwIfAborted();
        errors.push(error);
        // One that has no room leaves none for the others.
        if (isDiskFailure(error)) break;
      }
    }
    if (!errors.some(isDiskFailure)) await scratch.flush();
    if (scratch.repeated > 0) {
      deps.warn("A provider's results repeat records; the first line of each counts", {
        job: job.id,
        provider: scope.provider,
        repeated: scratch.repeated,
      });
    }
    return { scratch, tally, isShort, errors };
  } catch (error) {
    scratch.close();
    throw error;
  }
}

/** Reads a batch, again where records seem to be missing; whether it reports more than it names. */
async function readBatch(
  deps: JobTools,
  { job, plan, account }: ShardedJob,
  id: BatchId,
  { scratch, tally }: Pick<ReadBatches, "scratch" | "tally">,
  signal: AbortSignal,
): Promise<boolean> {
  const { batches } = account;
  const batch = await batches.get(id, signal);
  const { parts, areMore = false } = await batches.results(batch, signal);
  const ids = wireIdsOf(job.id, account);
  const form = envelope(envelopeOf(plan.to));
  const breath = createBreath({ signal });
  const before = scratch.found;
  for (let n = 1;; n++) {
    for (const { name } of parts) {
      const { body } = await batches.openResults(id, name, undefined, signal);
      for await (const line of body.pipeThrough(splitLines({ maxLineBytes }))) {
        if (breath.isDue()) await breath.take();
        const json = isBlank(line) ? "" : parseLine(line);
        const result = typeof json === "string" ? undefined : form.readResult(json);
        const number = ids.numberOf(result?.id ?? "");
        // What an earlier reading found is not a repetition.
        const isOld = number === undefined || n > 1 && scratch.has(number);
        if (isOld) continue;
        if (!await scratch.add(number, line) || result?.outcome.kind !== "body") continue;
        const tokens = tokensOf(plan.to, result.outcome.body);
        if (tokens) tally.tokens(ranAt(plan, result.outcome.body), tokens);
      }
    }
    const isWhole = parts.length > 0 && scratch.found - before >= expectedOf(batch);
    if (isWhole || parts.length === 0 || n === readings) return areMore && !isWhole;
    await deps.sleep(readingPause * 2 ** (n - 1));
    signal.throwIfAborted();
  }
}
