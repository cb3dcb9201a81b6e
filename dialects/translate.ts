/** Translating one record or one result between dialects. Pure, and in memory of one line. */
import type { ChatRequest, RecordError } from "./chat.ts";
import type { AnswerContext, ChatDialect, TargetModel } from "./dialect.ts";
import { envelope } from "./envelopes.ts";
import { recordError } from "./errors.ts";
import { fitToolNames } from "./fit.ts";
import { pathOf } from "./json.ts";
import type { Json, Raw } from "./json.ts";
import { ignoredLosses, RecordRefused } from "./loss.ts";
import type { Loss, LossKind, LossLog } from "./loss.ts";
import { envelopeOf } from "./names.ts";

/** Losses of a record beyond this are not noted one by one. */
export const maxLossesPerRecord = 100;

/** A log of losses of one record. */
export class Losses implements LossLog {
  readonly losses: Loss[] = [];
  readonly #line: Json;

  /** @param line The whole line, by which places are named. */
  constructor(line: Json) {
    this.#line = line;
  }

  dropped(at: number, reason: string): void {
    this.#note("dropped", at, reason, false);
  }

  approximated(at: number, reason: string): void {
    this.#note("approximated", at, reason, false);
  }

  hint(kind: "dropped" | "approximated", at: number, reason: string): void {
    this.#note(kind, at, reason, true);
  }

  refuse(at: number | undefined, reason: string): never {
    throw new RecordRefused(at, reason);
  }

  /** Notes why a record is not sent. */
  refused({ at, message }: RecordRefused): void {
    this.#note("refused", at ?? this.#line.at, message, false);
  }

  #note(kind: LossKind, at: number, reason: string, hint: boolean): void {
    if (this.losses.length >= maxLossesPerRecord) return;
    const path = pathOf(this.#line, at);
    this.losses.push({ kind, path: path === "" ? "record" : path, reason, hint });
  }
}

/** A record on its way to a provider: a line to be sent, or the error that it ends with. */
export type TranslatedRequest =
  | { readonly kind: "line"; readonly line: Raw; readonly losses: readonly Loss[] }
  | {
    readonly kind: "refused";
    readonly error: RecordError;
    readonly losses: readonly Loss[];
  };

/** What a record is translated to. */
export interface RequestTarget {
  readonly from: ChatDialect;
  readonly to: ChatDialect;
  readonly model: TargetModel;
}

/**
 * Translates one record.
 *
 * @param line The record's line.
 * @param wireId The id that it gets on the wire.
 */
export function translateRequest(
  line: Json,
  wireId: string,
  { from, to, model }: RequestTarget,
): TranslatedRequest {
  const log: Losses = new Losses(line);
  try {
    const source = envelope(envelopeOf(from.name)).readBody(line);
    if (!source) log.refuse(undefined, "the record has no body that is an object");
    const body = to.writeRequest(from.readRequest(source, log), new Writing(log, model));
    const written = envelope(envelopeOf(to.name)).writeRequest(wireId, body, to.name);
    return { kind: "line", line: written, losses: log.losses };
  } catch (error) {
    if (!(error instanceof RecordRefused)) throw error;
    log.refused(error);
    const where = log.losses.at(-1)?.path ?? "record";
    return {
      kind: "refused",
      error: recordError(
        error.http === 413 ? "too_long" : "bad_request",
        `${where}: ${error.message}`,
      ),
      losses: log.losses,
    };
  }
}

class Writing implements LossLog {
  readonly model: TargetModel;
  readonly #log: LossLog;

  constructor(log: LossLog, model: TargetModel) {
    this.#log = log;
    this.model = model;
  }

  dropped(at: number, reason: string): void {
    this.#log.dropped(at, reason);
  }

  approximated(at: number, reason: string): void {
    this.#log.approximated(at, reason);
  }

  hint(kind: "dropped" | "approximated", at: number, reason: string): void {
    this.#log.hint(kind, at, reason);
  }

  refuse(at: number | undefined, reason: string): never {
    return this.#log.refuse(at, reason);
  }
}

/** What an answer is translated back into. */
export interface AnswerTarget {
  /** The dialect of the records as the user sent them. */
  readonly from: ChatDialect;
  /** The dialect that the provider was sent. */
  readonly to: ChatDialect;
  /** The dialect of the results. */
  readonly back: ChatDialect;
  /** The id of the model that ran. */
  readonly model: string;
  /** Seconds since 1970, for answers that do not say when they were made. */
  readonly created: number;
  /** Makes an id of letters and digits that no other job, record and index have. */
  madeId(wireId: string, prefix: string, index: number): string;
  /** Counts what answers hold that their dialect cannot. */
  lost(what: string): void;
}

/**
 * Translates the body of one answer.
 *
 * @param body The answer's body, as the provider wrote it.
 * @param wireId The record's id on the wire.
 * @param line The record's line, as the user sent it; parsed where it is needed.
 */
export function translateAnswer(
  body: Json,
  wireId: string,
  line: () => Json,
  target: AnswerTarget,
): { readonly body: Raw } | RecordError {
  const answer = target.to.readAnswer(body);
  if (answer.kind === "error") return answer;
  return { body: target.back.writeAnswer(answer, new Answering(wireId, line, target)) };
}

class Answering implements AnswerContext {
  readonly #wireId: string;
  readonly #line: () => Json;
  readonly #target: AnswerTarget;
  #request: ChatRequest | undefined;
  #originalName: ((sent: string) => string) | undefined;

  constructor(wireId: string, line: () => Json, target: AnswerTarget) {
    this.#wireId = wireId;
    this.#line = line;
    this.#target = target;
  }

  get model(): string {
    return this.#target.model;
  }

  get created(): number {
    return this.#target.created;
  }

  madeId(prefix: string, index: number): string {
    return this.#target.madeId(this.#wireId, prefix, index);
  }

  lost(what: string): void {
    this.#target.lost(what);
  }

  request(): ChatRequest {
    this.#request ??= this.#read();
    return this.#request;
  }

  #read(): ChatRequest {
    const line = this.#line();
    const body = envelope(envelopeOf(this.#target.from.name)).readBody(line) ?? line;
    return this.#target.from.readRequest(body, ignoredLosses);
  }

  toolName(sent: string): string {
    this.#originalName ??= fitToolNames(this.request(), this.#target.to.toolNames).original;
    return this.#originalName(sent);
  }
}
