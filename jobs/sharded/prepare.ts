/**
 * Preparing a sharded job: its input is read once, each record is translated, and the records are cut
 * into shards in the blob store. Nothing is at the provider before the last line was read.
 */
import type { JobEntry } from "../../catalog/entries.ts";
import type { ShardedPlan } from "../../catalog/plan.ts";
import type { PreparedEntry, ShardEntry } from "../../catalog/shard_entries.ts";
import { blobName } from "../../codecs/ids.ts";
import { resultsId } from "../../codecs/results_id.ts";
import { createBreath } from "../../runtime/breath.ts";
import { envelope } from "../../dialects/envelopes.ts";
import type { TargetModel } from "../../dialects/dialect.ts";
import { findModel, targetModel } from "../../dialects/models.ts";
import { envelopeOf } from "../../dialects/names.ts";
import type { LinePosition } from "../../dialects/lines.ts";
import {
  lossLine,
  type ReadRecord,
  readRecords,
  type SourceFile,
  type TranslatedRecord,
  translateRecord,
} from "../../dialects/stream.ts";
import type { Account, BatchLimits, TranslationTarget } from "../../providers/provider.ts";
import type { BlobStore } from "../../blobs/store.ts";
import type { Scope } from "../../catalog/keys.ts";
import type { JobTools } from "../deps.ts";
import { demandOf, type ReadDemand } from "../quota.ts";
import { resultsKeys } from "../results/keys.ts";
import { Cutter, GrowingBlob } from "./cut.ts";
import { FirstReading, numbered, UnfitInput } from "./input.ts";
import { resultsFolder, type WireIds, wireIdsOf, workName } from "./wire.ts";

/** A sharded job, and what it runs on. */
export interface ShardedJob {
  readonly scope: Scope;
  readonly job: JobEntry;
  readonly plan: ShardedPlan;
  readonly account: Account;
  readonly target: TranslationTarget;
  readonly store: BlobStore;
}

/** A job that cannot run: a sentence for each reason, the first ones. */
export interface Unfit {
  readonly reasons: readonly string[];
}

/** How many reasons are named. */
const mostReasons = 10;
/** The name of an input that is one object. */
const wholeInput = "the input";

/** The file that a plan reads. */
export function fileOf({ from, isDeclared }: ShardedPlan, modelId: string): SourceFile {
  return { dialect: from, isDeclared, modelId };
}

/** The model that records are translated for, with what the configuration knows of it. */
export function modelOf(
  { models }: Pick<JobTools, "models">,
  { job, plan: { target: { provider, modelId: id } }, target: { kind } }: ShardedJob,
): TargetModel {
  for (const modelId of [job.modelId, id]) {
    const found = findModel({ modelId, provider, kind }, models);
    if ("model" in found && found.model.id === id) return found.model;
  }
  return targetModel({ id });
}

/** A record in the provider's own dialect as it is sent: only its id is another one. */
export function ownLine(
  { plan: { from } }: Pick<ShardedJob, "plan">,
  ids: WireIds,
  { json, record }: ReadRecord,
): string {
  const form = envelope(envelopeOf(from));
  return form.writeRequest(ids.of(record), form.readBody(json)?.raw ?? "{}", from);
}

/** Reads the input and records the shards; nothing is recorded of a job that cannot run. */
export async function prepare(
  deps: JobTools,
  sharded: ShardedJob,
  signal: AbortSignal,
): Promise<PreparedEntry | Unfit> {
  const { scope, job, plan, account, store } = sharded;
  const demand = await demandOf(deps, sharded);
  const report = new GrowingBlob(await store.draft());
  const work = new Preparing(deps, sharded, signal, report, demand);
  const reading = await FirstReading.begin(deps, sharded);
  try {
    await readAll(sharded, work, reading, signal);
    if (work.reasons.length > 0) return { reasons: work.reasons };
    if (work.records === 0) return { reasons: ["The input holds no record."] };
    const excess = await demand?.reserve(work.records);
    if (excess !== undefined) return { reasons: [excess] };
    const copy = await reading.keep(signal);
    const shards = await work.cutter.end();
    const entry = { ...await work.entry(shards.length), ...(copy && { copy }) };
    const entries = plan.isDryRun
      ? []
      : shards.map((cut): ShardEntry => ({ ...cut, account: account.name }));
    await deps.catalog.shards.prepare(scope, job.id, entry, entries);
    return entry;
  } catch (error) {
    if (error instanceof UnfitInput) return { reasons: [`${error.message}.`] };
    throw error;
  } finally {
    await reading.discard();
    await work.discard();
  }
}

/** Reads every record of every file, until there are enough reasons why the job cannot run. */
async function readAll(
  { job, plan }: ShardedJob,
  work: Preparing,
  reading: FirstReading,
  signal: AbortSignal,
): Promise<void> {
  const breath = createBreath({ signal });
  const file = fileOf(plan, job.modelId);
  for await (const { path, bytes, before } of reading.files(() => work.records, signal)) {
    if (path !== undefined && !resultsKeys(job, path)) {
      work.reasons.push(`The results of ${path} have no room in a key of 1024 bytes.`);
    }
    const counted = countBytes(bytes, (length) => work.bytes += length);
    for await (const record of readRecords(counted, file, { breath, signal })) {
      if (record.kind === "broken") work.broken(record.line, record.reason, path);
      else await work.record(numbered(record, before), path);
      if (work.reasons.length >= mostReasons) return;
    }
  }
}

/** Bytes of text that make a token, as a rule of thumb for English and JSON. */
const bytesPerToken = 4;

/** An estimate of a record's input tokens; long base64, which is media, counts nothing. */
function tokensOf(line: string): number {
  return line.replace(/[A-Za-z0-9+/=]{1024,}/g, "").length / bytesPerToken;
}

async function* countBytes(
  body: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    count(chunk.length);
    yield chunk;
  }
}

class Preparing {
  readonly cutter: Cutter;
  readonly reasons: string[] = [];
  records = 0;
  /** Of the input. */
  bytes = 0;
  #tokens = 0;
  #refused = 0;
  #lossy = 0;
  #losses = 0;
  readonly #sharded: ShardedJob;
  readonly #ids: WireIds;
  readonly #model: TargetModel;
  readonly #limits: BatchLimits;
  readonly #report: GrowingBlob;
  readonly #signal: AbortSignal;
  readonly #demand: ReadDemand | undefined;

  constructor(
    deps: JobTools,
    sharded: ShardedJob,
    signal: AbortSignal,
    report: GrowingBlob,
    demand: ReadDemand | undefined,
  ) {
    const { scope: { provider }, job: { id }, plan, target, account, store } = sharded;
    this.#sharded = sharded;
    this.#demand = demand;
    this.#ids = wireIdsOf(id, account);
    this.#model = modelOf(deps, sharded);
    this.#limits = target.limits;
    this.#report = report;
    this.#signal = signal;
    const name = (n: number) => workName(provider, id, `shard-${n}`);
    this.cutter = new Cutter(store, target.limits, name, signal, 0, plan.source.in !== "folder");
  }

  /** @param path Of the file, where the input is a folder. */
  broken(line: number, reason: string, path = wholeInput): void {
    this.reasons.push(`Line ${line} of ${path} is ${reason}.`);
  }

  /** @param path Of the file, where the input is a folder. */
  async record(read: Parameters<typeof translateRecord>[0], path?: string): Promise<void> {
    this.records++;
    const { plan } = this.#sharded;
    if (read.kind === "record" && plan.from === plan.to) {
      return await this.#send(read, ownLine(this.#sharded, this.#ids, read));
    }
    const record = translateRecord(read, plan.from, {
      to: plan.to,
      model: this.#model,
      wireId: ({ record }) => this.#ids.of(record),
      maxRecordBytes: this.#limits.recordBytes,
    });
    await this.#note(record, path);
    if (record.translated.kind === "refused") this.#refused++;
    else for (const text of record.translated.lines) await this.#send(record, text);
  }

  async #send(place: LinePosition, text: string): Promise<void> {
    if (this.#sharded.plan.isDryRun) this.#tokens += tokensOf(text);
    this.#demand?.add(text);
    await this.cutter.add(place, text);
  }

  async #note(record: TranslatedRecord, path: string | undefined): Promise<void> {
    const { losses } = record.translated;
    if (losses.length === 0) return;
    this.#lossy++;
    for (const loss of losses) {
      this.#losses++;
      if (this.#report.add(lossLine(record, loss, path))) await this.#report.flush();
      const fails = this.#sharded.plan.onLoss === "fail" && !loss.hint;
      if (fails && this.reasons.length < mostReasons) {
        this.reasons.push(
          `Line ${record.line} of ${path ?? wholeInput} loses ${loss.path}: ${loss.reason}.`,
        );
      }
    }
  }

  async entry(batches: number): Promise<PreparedEntry> {
    const { scope: { provider }, job: { id }, plan: { isDryRun } } = this.#sharded;
    const size = { batches, bytes: this.bytes, tokens: Math.ceil(this.#tokens) };
    const kept = this.#losses === 0 ? undefined : await this.#report.keep(
      (sha256) => blobName(resultsFolder(provider, id) + resultsId(id, sha256)),
      this.#signal,
    );
    return {
      records: this.records,
      refused: this.#refused,
      lossy: this.#lossy,
      ...(kept && { losses: kept }),
      ...(isDryRun && { size }),
    };
  }

  async discard(): Promise<void> {
    await this.cutter.discard();
    await this.#report.discard();
  }
}
