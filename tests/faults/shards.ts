/** Batches of jobs that were split, as their providers count them, and what a job's records came to. */
import assert from "node:assert/strict";
import { sandboxKeys } from "../../sandbox/context.ts";
import type { Sandbox } from "../../sandbox/server.ts";
import { createClient } from "../jobs/wire.ts";
import type { ProviderName } from "./model.ts";
import { pages } from "./ledger.ts";
import { assertResults, readerOf } from "./results.ts";

/** A batch that runs a shard of a job. */
interface ShardBatch {
  readonly provider: ProviderName;
  readonly job: string;
  readonly shard: string;
  readonly isOver: boolean;
  readonly total: number;
  readonly success: number;
}

/** A job of several batches, as its client made it. */
export interface SplitJob {
  /** The last twelve characters of its ARN. */
  readonly id: string;
  readonly arn: string;
  readonly inputName: string;
  /** How often each record runs, by its id. */
  readonly runs: ReadonlyMap<string, number>;
  /** Records that have an answer in the end. */
  readonly success: number;
  /** Whether its client asked for its stop: it may have come too late. */
  readonly isStopped?: boolean;
}

/** Every batch of both providers, by the providers' own APIs. */
export async function shardBatches(sandbox: Sandbox): Promise<ShardBatch[]> {
  const ofOpenai = `${sandbox.openaiUrl}/batches?limit=100`;
  const openai = await pages(
    ofOpenai,
    { authorization: `Bearer ${sandboxKeys.openai}` },
    (page) => page["has_more"] === true ? `${ofOpenai}&after=${page["last_id"]}` : undefined,
  );
  const ofGemini = `${sandbox.geminiUrl}/v1beta/batches?pageSize=100`;
  const gemini = await pages(
    ofGemini,
    { "x-goog-api-key": sandboxKeys.gemini },
    ({ nextPageToken: token }) =>
      token === undefined ? undefined : `${ofGemini}&pageToken=${token}`,
  );
  return [
    ...openai.map(({ metadata, status, request_counts: counts }): ShardBatch => {
      const { batchway_job: job = "", batchway_shard: shard = "" } = textsOf(metadata);
      const { total, completed } = textsOf(counts);
      const over = isOver(`${status}`);
      const success = Number(completed);
      return { provider: "openai", job, shard, isOver: over, total: Number(total), success };
    }),
    ...gemini.map(({ metadata }): ShardBatch => {
      const { displayName = "", state = "" } = textsOf(metadata);
      const { batchStats } = metadata as { batchStats?: unknown };
      const { requestCount = 0, successfulRequestCount = 0 } = textsOf(batchStats);
      const [, job = "", shard = ""] = /\[batchway:(.*?)(?:\/(\d+))?\]$/.exec(displayName) ?? [];
      return {
        provider: "gemini",
        job,
        shard,
        isOver: isOver(state),
        total: Number(requestCount),
        success: Number(successfulRequestCount),
      };
    }),
  ];
}

/** Whether a provider's word for a batch's state is one of an end. */
const isOver = (state: string) =>
  /^(?:completed|failed|expired|cancelled|BATCH_STATE_(?:SUCCEEDED|FAILED|EXPIRED|CANCELLED))$/
    .test(state);

const textsOf = (value: unknown) => (value ?? {}) as Readonly<Record<string, string>>;

/** What does not balance between jobs and the batches that ran them, a sentence each. */
export function compareShards(jobs: readonly SplitJob[], batches: readonly ShardBatch[]): string[] {
  const wrong: string[] = [];
  const known = new Set(jobs.map(({ id }) => id));
  const names = new Set<string>();
  for (const { provider, job, shard, isOver } of batches) {
    const name = `${job}/${shard}`;
    if (!known.has(job)) wrong.push(`${provider} runs a batch of ${name}, which no client has`);
    if (names.has(name)) wrong.push(`two batches run ${name}`);
    if (!isOver) wrong.push(`the batch of ${name} is not over`);
    names.add(name);
  }
  for (const { id, runs, success, isStopped } of jobs) {
    const own = batches.filter(({ job }) => job === id);
    const paid = own.reduce((sum, { total }) => sum + total, 0);
    const expected = [...runs.values()].reduce((sum, times) => sum + times, 0);
    // What a stop came before was not run; nothing was run twice for it.
    if (isStopped ? paid > expected : paid !== expected) {
      wrong.push(`job ${id} ran ${paid} records, not ${expected}`);
    }
    const answered = own.reduce((sum, batch) => sum + batch.success, 0);
    if (isStopped ? answered > success : answered !== success) {
      wrong.push(`job ${id} has ${answered} answers, not ${success}`);
    }
  }
  return wrong;
}

/** What is wrong with a job's results, or with what they name as run again. */
export async function checkSplitJob(
  url: string,
  split: SplitJob,
): Promise<string[]> {
  const { id, arn, inputName, runs, isStopped } = split;
  const job = await createClient(url).get(arn);
  const reader = readerOf(url, "openai");
  try {
    // A stop may come too late.
    assert.ok(job.status === "Completed" || isStopped && job.status === "Stopped");
    const isWhole = job.status === "Completed";
    if (isWhole) assert.equal(job["successRecordCount"], split.success);
    const records = runs.size;
    await assertResults(reader, {
      id,
      bucket: "out",
      prefix: "",
      inputName,
      records,
      processed: isWhole ? records : Number(job["processedRecordCount"]),
    });
    const out = await reader.read(`/out/${id}/${inputName}.out`);
    const lines = out.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(lines.map(({ recordId }) => recordId), [...runs.keys()]);
    const answered = lines.filter(({ modelOutput }) => modelOutput).length;
    assert.equal(answered, job["successRecordCount"]);
    const again = [...runs].filter(([, times]) => times > 1).map(([record]) => record);
    const report = again.length === 0 || !isWhole
      ? ""
      : await reader.read(`/out/_batchway/${id}/translation.ndjson`);
    const named = report.split("\n").filter((line) => / ran (?:at|\d+ times)/.test(line))
      .map((line) => JSON.parse(line).recordId);
    assert.deepEqual(named, isWhole ? again : [], "what the report names as run again");
    return [];
  } catch (error) {
    return [`job ${id} (${job.status}): ${error}`];
  }
}
