/** The report of losses of a job whose records ran again, with what ran again and where. */
import type { StoredBytes } from "../../catalog/shard_entries.ts";
import { blobName } from "../../codecs/ids.ts";
import { resultsId } from "../../codecs/results_id.ts";
import {
  type LongRecord,
  lossLine,
  type ReadRecord,
  translateRecord,
} from "../../dialects/stream.ts";
import type { JobTools } from "../deps.ts";
import { GrowingBlob } from "./cut.ts";
import { type Leg, legOf } from "./legs.ts";
import { modelOf, type ShardedJob } from "./prepare.ts";
import type { Scratch } from "./scratch.ts";
import { resultsFolder } from "./wire.ts";

/** How many records ran again, by where their last run was. */
export interface Rerun {
  readonly retried: number;
  readonly fellBack: number;
  /** `<provider>/<model>`. */
  readonly fallback: string | undefined;
}

/** Writes what ran again behind what was lost before. */
export class RerunReport {
  readonly #deps: JobTools;
  readonly #sharded: ShardedJob;
  readonly #scratch: Scratch;
  #lines: GrowingBlob | undefined;
  #retried = 0;
  #fellBack = 0;

  constructor(deps: JobTools, sharded: ShardedJob, scratch: Scratch) {
    this.#deps = deps;
    this.#sharded = sharded;
    this.#scratch = scratch;
  }

  get rerun(): Rerun {
    const { fallback } = this.#sharded.plan;
    return {
      retried: this.#retried,
      fellBack: this.#fellBack,
      fallback: fallback && `${fallback.provider}/${fallback.modelId}`,
    };
  }

  /**
   * Notes where a record's last run was, if it had more than one.
   *
   * @param file The file of the record, where the input is a folder.
   */
  async note(record: ReadRecord | LongRecord, file: string | undefined): Promise<void> {
    const round = this.#scratch.roundOf(record.record);
    if (round === 0) return;
    const leg = legOf(this.#deps, this.#sharded, round);
    const { provider, modelId } = leg.plan.target;
    if (leg.isFallback) this.#fellBack++;
    else this.#retried++;
    const reason = leg.isFallback
      ? `the record ran at ${provider} with the model ${modelId}, as it had no answer before`
      : `the record ran ${round + 1} times, as a failure before was one that passes`;
    await this.#add(
      lossLine(record, { kind: "approximated", path: "modelId", reason, hint: false }, file),
    );
    if (!leg.isFallback) return;
    for (const loss of this.#lossesOf(record, leg)) await this.#add(lossLine(record, loss, file));
  }

  /** Keeps the report; undefined where nothing ran again. */
  async keep(
    before: StoredBytes | undefined,
    signal: AbortSignal,
  ): Promise<StoredBytes | undefined> {
    const { scope, job, store } = this.#sharded;
    if (!this.#lines) return undefined;
    const name = (sha256: string) =>
      blobName(resultsFolder(scope.provider, job.id) + resultsId(job.id, sha256));
    if (!before) return await this.#lines.keep(name, signal);
    const body = await store.open(before.blob, { first: 0 }, signal);
    for await (
      const text of body.pipeThrough(new TextDecoderStream("utf-8", { ignoreBOM: true }))
    ) {
      if (this.#lines.add(text)) await this.#lines.flush();
    }
    return await this.#lines.keep(name, signal);
  }

  /** Leaves nothing behind of what was not kept. */
  async discard(): Promise<void> {
    await this.#lines?.discard();
  }

  #lossesOf(record: ReadRecord | LongRecord, leg: Leg) {
    const { from, to } = leg.plan;
    const model = modelOf(this.#deps, leg);
    return translateRecord(record, from, { to, model, wireId: () => "r" }).translated.losses;
  }

  async #add(line: string): Promise<void> {
    this.#lines ??= new GrowingBlob(await this.#sharded.store.draft());
    if (this.#lines.add(line)) await this.#lines.flush();
  }
}
