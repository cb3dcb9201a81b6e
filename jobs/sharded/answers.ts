/** Answers of a sharded job's records, in the dialect that the client asked for. */
import type { ShardEntry } from "../../catalog/shard_entries.ts";
import type { RecordError } from "../../dialects/chat.ts";
import { envelope, expiredMessage, stoppedMessage } from "../../dialects/envelopes.ts";
import { recordError } from "../../dialects/errors.ts";
import type { Raw } from "../../dialects/json.ts";
import { envelopeOf } from "../../dialects/names.ts";
import {
  type LongRecord,
  parseLine,
  type ReadRecord,
  translateRecord,
} from "../../dialects/stream.ts";
import {
  type AnswerTarget,
  translateAnswer,
  type TranslatedAnswer,
} from "../../dialects/translate.ts";
import type { JobTools } from "../deps.ts";
import type { RanAt } from "../../accounts/tally.ts";
import { ranAt } from "./ran_at.ts";
import { type Leg, legOf } from "./legs.ts";
import { modelOf, type ShardedJob } from "./prepare.ts";
import type { Scratch } from "./scratch.ts";
import { type WireIds, wireIdsOf } from "./wire.ts";

/** How many records are named. */
export const mostNamed = 10;

/** What answers of one leg are read with. */
interface LegAnswers {
  readonly leg: Leg;
  readonly ids: WireIds;
  readonly model: ReturnType<typeof modelOf>;
  readonly answers: AnswerTarget;
}

/** An answer and where it is from, or the error of its record. */
export type PlacedAnswer =
  | Extract<TranslatedAnswer, { kind: "answer" }> & { readonly ranAt: RanAt }
  | RecordError;

/** Reads answers out of gathered results. */
export class Answers {
  /** Ids of records that their batch was to have answered, and has not: the first ones. */
  readonly lost: Raw[] = [];
  /** What answers held that their dialect cannot, by kind. */
  readonly lostParts = new Map<string, number>();
  lostCount = 0;
  readonly #deps: JobTools;
  readonly #sharded: ShardedJob;
  readonly #shards: readonly ShardEntry[];
  readonly #scratch: Scratch;
  readonly #legs = new Map<number, LegAnswers>();

  constructor(
    deps: JobTools,
    sharded: ShardedJob,
    shards: readonly ShardEntry[],
    scratch: Scratch,
  ) {
    this.#deps = deps;
    this.#sharded = sharded;
    this.#shards = shards;
    this.#scratch = scratch;
  }

  /** What the answer of a record is read with. */
  legOf({ record }: Pick<ReadRecord, "record">): LegAnswers {
    return this.#leg(this.#scratch.roundOf(record));
  }

  #leg(round: number): LegAnswers {
    const known = this.#legs.get(round);
    if (known) return known;
    const leg = legOf(this.#deps, this.#sharded, round);
    const { job, plan: { from, to, back, target: { modelId: model } }, account } = leg;
    const answers = {
      from,
      to,
      back,
      model,
      created: Math.floor(job.submittedAt / 1_000),
      madeId: (wireId: string, prefix: string, index: number) =>
        `${prefix}${job.id}${wireId.replace(/[^A-Za-z0-9]/g, "")}x${index}`,
      lost: (what: string) => void this.lostParts.set(what, (this.lostParts.get(what) ?? 0) + 1),
    };
    const made = {
      leg,
      ids: wireIdsOf(job.id, account),
      model: modelOf(this.#deps, leg),
      answers,
    };
    this.#legs.set(round, made);
    return made;
  }

  /** The answer of a record, or its error, as its last run had it. */
  async of(record: ReadRecord | LongRecord): Promise<PlacedAnswer> {
    const leg = this.legOf(record);
    const wireId = leg.ids.of(record.record);
    const line = await this.#scratch.read(record.record);
    if (!line) return this.#without(record, this.#leg(0));
    const json = parseLine(line);
    if (typeof json === "string") return recordError("internal", `The provider's line is ${json}.`);
    const { outcome } = envelope(envelopeOf(leg.leg.plan.to)).readResult(json);
    if (outcome.kind === "error") return outcome;
    const asSent = () => {
      if (record.kind === "record") return record.json;
      throw new Error("A record that is too long was not sent");
    };
    const answer = translateAnswer(outcome.body, wireId, asSent, leg.answers);
    return answer.kind === "answer"
      ? { ...answer, ranAt: ranAt(leg.leg.plan, outcome.body) }
      : answer;
  }

  /** The shard that a record is of, of the last round that it ran in. */
  shardOf({ record }: Pick<ReadRecord, "record">): ShardEntry | undefined {
    const has = ({ first, last }: ShardEntry) => first <= record && record <= last;
    const isOpen = ({ round = 0, end }: ShardEntry) => round === 0 || end?.status !== "Completed";
    return this.#shards.findLast((shard) => has(shard) && isOpen(shard));
  }

  /** The error of a record that no batch answered: it was not sent, or its batch did not get to it. */
  #without(record: ReadRecord | LongRecord, { leg, ids, model }: LegAnswers): RecordError {
    const { plan: { from, to }, target: { limits: { recordBytes: maxRecordBytes } } } = leg;
    const isTranslated = record.kind === "long" || from !== to;
    const { translated } = isTranslated
      ? translateRecord(record, from, {
        to,
        model,
        wireId: () => ids.of(record.record),
        maxRecordBytes,
      })
      : { translated: undefined };
    if (translated?.kind === "refused") return translated.error;
    return this.#unrun(record, this.shardOf(record));
  }

  #unrun({ id }: ReadRecord | LongRecord, shard: ShardEntry | undefined): RecordError {
    const end = shard?.end;
    const isLate = this.#sharded.job.timedOut === true;
    if (!end || end.status === "Stopped") {
      return isLate
        ? recordError("expired", expiredMessage)
        : recordError("stopped", stoppedMessage);
    }
    if (end.status === "Expired" || end.status === "PartiallyCompleted") {
      return recordError("expired", expiredMessage);
    }
    if (end.status === "Failed") {
      const why = end.message ?? "The provider failed the batch and gave no reason.";
      return recordError("internal", why);
    }
    this.lostCount++;
    if (this.lost.length < mostNamed) this.lost.push(id);
    return recordError("internal", "lost: the provider's results do not hold this record");
  }
}
