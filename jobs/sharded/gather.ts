/**
 * Writing the results of a sharded job: its input in its own order, each record with its result in the
 * dialect that the client asked for.
 */
import type { PreparedEntry, ShardEntry, StoredBytes } from "../../catalog/shard_entries.ts";
import { createBreath } from "../../runtime/breath.ts";
import { blobName } from "../../codecs/ids.ts";
import { resultsFile } from "../../codecs/results_id.ts";
import type { RecordError, Usage } from "../../dialects/chat.ts";
import { envelope, expiredMessage, stoppedMessage } from "../../dialects/envelopes.ts";
import { recordError } from "../../dialects/errors.ts";
import { envelopeOf } from "../../dialects/names.ts";
import type { Raw } from "../../dialects/json.ts";
import {
  type LongRecord,
  parseLine,
  type ReadRecord,
  readRecords,
  translateRecord,
} from "../../dialects/stream.ts";
import { type AnswerTarget, translateAnswer } from "../../dialects/translate.ts";
import { promptOf } from "../../dialects/usage.ts";
import type { JobTools } from "../deps.ts";
import { GrowingBlob } from "./cut.ts";
import { filesAgain, type InputFile, numbered } from "./input.ts";
import { fileOf, modelOf, type ShardedJob } from "./prepare.ts";
import type { Scratch } from "./scratch.ts";
import { resultsFolder, type WireIds, wireIdsOf } from "./wire.ts";

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
}

/** How many records are named. */
const mostNamed = 10;

/** Writes the results of a job into the blob store, in the order of its input. */
export async function writeResults(
  deps: JobTools,
  sharded: ShardedJob,
  shards: readonly ShardEntry[],
  prepared: PreparedEntry | undefined,
  scratch: Scratch,
  signal: AbortSignal,
): Promise<Gathered> {
  const writer = new Writer(deps, sharded, shards, scratch);
  const files: GatheredFile[] = [];
  for await (const file of filesAgain(deps, sharded, prepared, signal)) {
    const output = await writeFile(sharded, writer, file, signal);
    files.push({ ...(file.path !== undefined && { path: file.path }), output });
  }
  return { files, ...writer.sums() };
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
      // The input was read to its end before: what was no record then has ended the job.
      if (record.kind === "broken") continue;
      if (blob.add(`${await writer.line(numbered(record, before))}\n`)) await blob.flush();
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
  readonly #shards: readonly ShardEntry[];
  readonly #scratch: Scratch;
  readonly #ids: WireIds;
  readonly #model: ReturnType<typeof modelOf>;
  readonly #answers: AnswerTarget;
  readonly #lostParts = new Map<string, number>();
  readonly #lost: Raw[] = [];
  readonly #repeated: Raw[] = [];
  #sums = { total: 0, success: 0, error: 0, inputTokens: 0, outputTokens: 0, lostCount: 0 };

  constructor(
    deps: JobTools,
    sharded: ShardedJob,
    shards: readonly ShardEntry[],
    scratch: Scratch,
  ) {
    const { job, plan: { from, to, back, target: { modelId: model } }, account } = sharded;
    this.#sharded = sharded;
    this.#shards = shards;
    this.#scratch = scratch;
    this.#ids = wireIdsOf(job.id, account);
    this.#model = modelOf(deps, sharded);
    this.#answers = {
      from,
      to,
      back,
      model,
      created: Math.floor(job.submittedAt / 1_000),
      madeId: (wireId, prefix, index) =>
        `${prefix}${job.id}${wireId.replace(/[^A-Za-z0-9]/g, "")}x${index}`,
      lost: (what) => this.#lostParts.set(what, (this.#lostParts.get(what) ?? 0) + 1),
    };
  }

  /** The result line of a record. */
  async line(record: ReadRecord | LongRecord): Promise<Raw> {
    const { plan } = this.#sharded;
    const wireId = this.#ids.of(record.record);
    const result = await this.#result(record, wireId);
    const body = record.kind === "record"
      ? envelope(envelopeOf(plan.from)).readBody(record.json)?.raw
      : undefined;
    this.#sums.total++;
    const isNamed = this.#scratch.isRepeated(record.record) && this.#repeated.length < mostNamed;
    if (isNamed) this.#repeated.push(record.id);
    if (result.kind === "answer") this.#sums.success++;
    // What its batch did not get to was not processed, as in the results of other jobs.
    else if (result.error !== "expired" && result.error !== "stopped") this.#sums.error++;
    const context = { id: record.id, input: body ?? "null", wireId };
    return envelope(envelopeOf(plan.back)).writeResult(context, result);
  }

  sums(): Omit<Gathered, "files"> {
    return {
      ...this.#sums,
      lost: this.#lost,
      repeated: this.#repeated,
      repeatedCount: this.#scratch.repeated,
      lostParts: this.#lostParts,
    };
  }

  async #result(
    record: ReadRecord | LongRecord,
    wireId: string,
  ): Promise<RecordError | { readonly kind: "answer"; readonly body: Raw; readonly usage: Usage }> {
    const line = await this.#scratch.read(record.record);
    if (!line) return this.#without(record, wireId);
    const json = parseLine(line);
    if (typeof json === "string") return recordError("internal", `The provider's line is ${json}.`);
    const { outcome } = envelope(envelopeOf(this.#sharded.plan.to)).readResult(json);
    if (outcome.kind === "error") return outcome;
    const asSent = () => {
      if (record.kind === "record") return record.json;
      throw new Error("A record that is too long was not sent");
    };
    const answer = translateAnswer(outcome.body, wireId, asSent, this.#answers);
    if (answer.kind === "answer") {
      this.#sums.inputTokens += promptOf(answer.usage);
      this.#sums.outputTokens += answer.usage.output;
    }
    return answer;
  }

  /** The error of a record that no batch answered: it was not sent, or its batch did not get to it. */
  #without(record: ReadRecord | LongRecord, wireId: string): RecordError {
    const { plan: { from, to }, target: { limits: { recordBytes: maxRecordBytes } } } =
      this.#sharded;
    const isTranslated = record.kind === "long" || from !== to;
    const { translated } = isTranslated
      ? translateRecord(record, from, {
        to,
        model: this.#model,
        wireId: () => wireId,
        maxRecordBytes,
      })
      : { translated: undefined };
    if (translated?.kind === "refused") return translated.error;
    const shard = this.#shards.find(({ first, last }) =>
      first <= record.record && record.record <= last
    );
    return this.#unrun(record, shard);
  }

  #unrun({ id }: ReadRecord | LongRecord, shard: ShardEntry | undefined): RecordError {
    const end = shard?.end;
    if (!end || end.status === "Stopped") return recordError("stopped", stoppedMessage);
    if (end.status === "Expired" || end.status === "PartiallyCompleted") {
      return recordError("expired", expiredMessage);
    }
    if (end.status === "Failed") {
      const why = end.message ?? "The provider failed the batch and gave no reason.";
      return recordError("internal", why);
    }
    this.#sums.lostCount++;
    if (this.#lost.length < mostNamed) this.#lost.push(id);
    return recordError("internal", "lost: the provider's results do not hold this record");
  }
}
