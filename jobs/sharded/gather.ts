/**
 * Writing the results of a sharded job: its input in its own order, each record with its result in the
 * dialect that the client asked for.
 */
import type { Tally } from "../../accounts/tally.ts";
import type { PreparedEntry, ShardEntry, StoredBytes } from "../../catalog/shard_entries.ts";
import type { RunUsage } from "../../catalog/usage_entries.ts";
import { createBreath } from "../../runtime/breath.ts";
import { blobName } from "../../codecs/ids.ts";
import { resultsFile } from "../../codecs/results_id.ts";
import { envelope } from "../../dialects/envelopes.ts";
import { envelopeOf } from "../../dialects/names.ts";
import type { Raw } from "../../dialects/json.ts";
import { type LongRecord, type ReadRecord, readRecords } from "../../dialects/stream.ts";
import { promptOf } from "../../dialects/usage.ts";
import type { JobTools } from "../deps.ts";
import { Answers, mostNamed } from "./answers.ts";
import { GrowingBlob } from "./cut.ts";
import { filesAgain, type InputFile, numbered } from "./input.ts";
import { fileOf, type ShardedJob } from "./prepare.ts";
import type { ReadBatches } from "./read.ts";
import { type Rerun, RerunReport } from "./rerun_report.ts";
import type { Scratch } from "./scratch.ts";
import { resultsFolder } from "./wire.ts";

/** The results of one file of the input. */
export interface GatheredFile {
  /** Relative to the input's folder; absent where the input is one object. */
  readonly path?: string;
  readonly output: StoredBytes;
}

/** What gathering came to. */
export interface Gathered {
  readonly files: readonly GatheredFile[];
  readonly total: number;
  readonly success: number;
  readonly error: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Records that their batch was to have answered, and has not. */
  readonly lost: readonly Raw[];
  readonly lostCount: number;
  /** Records that came more than once. */
  readonly repeated: readonly Raw[];
  /** How many lines of theirs were left out. */
  readonly repeatedCount: number;
  /** What answers held that their dialect cannot, by kind. */
  readonly lostParts: ReadonlyMap<string, number>;
  /** The report of losses, where it says more than that of the preparation. */
  readonly losses?: StoredBytes;
  /** Records that ran again. */
  readonly rerun: Rerun;
  /** What the job used. */
  readonly runs: readonly RunUsage[];
}

/** Writes the results of a job into the blob store, in the order of its input. */
export async function writeResults(
  deps: JobTools,
  sharded: ShardedJob,
  shards: readonly ShardEntry[],
  prepared: PreparedEntry | undefined,
  { scratch, tally }: Pick<ReadBatches, "scratch" | "tally">,
  signal: AbortSignal,
): Promise<Gathered> {
  const report = new RerunReport(deps, sharded, scratch);
  const answers = new Answers(deps, sharded, shards, scratch);
  const writer = new Writer(sharded, { scratch, tally }, answers, report);
  const files: GatheredFile[] = [];
  try {
    for await (const file of filesAgain(deps, sharded, prepared, signal)) {
      const output = await writeFile(sharded, writer, file, signal);
      files.push({ ...(file.path !== undefined && { path: file.path }), output });
    }
    const losses = await report.keep(prepared?.losses, signal);
    const { rerun } = report;
    return { files, ...writer.sums(), ...(losses && { losses }), rerun, runs: tally.runs() };
  } finally {
    await report.discard();
  }
}

async function writeFile(
  { scope, job, plan, store }: ShardedJob,
  writer: Writer,
  { path, bytes, before }: InputFile,
  signal: AbortSignal,
): Promise<StoredBytes> {
  const blob = new GrowingBlob(await store.draft());
  try {
    const breath = createBreath({ signal });
    for await (const record of readRecords(bytes, fileOf(plan, job.modelId), { breath, signal })) {
      // The input was read to its end before: what was not a record then has ended the job.
      if (record.kind === "broken") continue;
      if (blob.add(`${await writer.line(numbered(record, before), path)}\n`)) await blob.flush();
    }
    return await blob.keep(
      (sha256) =>
        blobName(resultsFolder(scope.provider, job.id) + resultsFile(job.id, sha256, path)),
      signal,
    );
  } finally {
    await blob.discard();
  }
}

class Writer {
  readonly #sharded: ShardedJob;
  readonly #scratch: Scratch;
  readonly #tally: Tally;
  readonly #answers: Answers;
  readonly #report: RerunReport;
  readonly #repeated: Raw[] = [];
  #sums = { total: 0, success: 0, error: 0, inputTokens: 0, outputTokens: 0 };

  constructor(
    sharded: ShardedJob,
    { scratch, tally }: Pick<ReadBatches, "scratch" | "tally">,
    answers: Answers,
    report: RerunReport,
  ) {
    this.#sharded = sharded;
    this.#scratch = scratch;
    this.#tally = tally;
    this.#answers = answers;
    this.#report = report;
  }

  /**
   * Returns the result line of a record.
   *
   * @param file The file of the record, where the input is a folder.
   */
  async line(record: ReadRecord | LongRecord, file: string | undefined): Promise<Raw> {
    const { plan } = this.#sharded;
    const { leg, ids } = this.#answers.legOf(record);
    const wireId = ids.of(record.record);
    const result = await this.#answers.of(record);
    await this.#report.note(record, file);
    const body = record.kind === "record"
      ? envelope(envelopeOf(plan.from)).readBody(record.json)?.raw
      : undefined;
    this.#sums.total++;
    const isNamed = this.#scratch.isRepeated(record.record) && this.#repeated.length < mostNamed;
    if (isNamed) this.#repeated.push(record.id);
    if (result.kind === "answer") {
      this.#sums.success++;
      this.#tally.result(result.ranAt, "succeeded");
      this.#sums.inputTokens += promptOf(result.usage);
      this.#sums.outputTokens += result.usage.output;
    } // What its batch did not get to was not processed, as in the results of other jobs.
    else if (result.error !== "expired" && result.error !== "stopped") {
      this.#sums.error++;
      this.#tally.result(leg.plan.target, "failed");
    }
    const context = { id: record.id, input: body ?? "null", wireId };
    return envelope(envelopeOf(plan.back)).writeResult(context, result);
  }

  sums(): Omit<Gathered, "files" | "losses" | "rerun" | "runs"> {
    const { lost, lostCount, lostParts } = this.#answers;
    return {
      ...this.#sums,
      lost,
      lostCount,
      repeated: this.#repeated,
      repeatedCount: this.#scratch.repeated,
      lostParts,
    };
  }
}
