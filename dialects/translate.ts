/** Translating one record or one result between dialects. Pure, and in memory of one line. */
import type { ChatRequest, RecordError, Usage } from "./chat.ts";
import type { AnswerContext, RequestContext, TargetModel } from "./dialect.ts";
import { envelope } from "./envelopes.ts";
import { recordError } from "./errors.ts";
import { fitToolNames } from "./fit.ts";
import { pathOf } from "./json.ts";
import type { Json, Raw } from "./json.ts";
import { ignoredLosses, RecordRefused } from "./loss.ts";
import type { Loss, LossKind } from "./loss.ts";
import { envelopeOf, isChat } from "./names.ts";
import type { DialectName } from "./names.ts";
import { object, quote } from "./raw.ts";
import { chatDialect, embeddingDialect } from "./registry.ts";
import { noUsage } from "./usage.ts";
import { refuseOpaqueTurns, withinMost } from "./writing.ts";

/** Losses of a record beyond this are not noted one by one. */
const maxLossesPerRecord = 100;

/** A log of losses of one record, and the model that it is for. */
class Losses implements RequestContext {
  readonly losses: Loss[] = [];
  readonly model: TargetModel;
  readonly #line: Json;

  /** @param line The whole line, by which places are named. */
  constructor(line: Json, model: TargetModel) {
    this.#line = line;
    this.model = model;
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
  | {
    readonly kind: "lines";
    /** One line; several only where one record of embeddings is several of the target's. */
    readonly lines: readonly Raw[];
    readonly losses: readonly Loss[];
  }
  | {
    readonly kind: "refused";
    readonly error: RecordError;
    readonly losses: readonly Loss[];
  };

/** What a record is translated to. */
export interface RequestTarget {
  readonly from: DialectName;
  /** Of the same family as `from`; see `canTranslate`. */
  readonly to: DialectName;
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
  const log: Losses = new Losses(line, model);
  try {
    const source = envelope(envelopeOf(from)).readBody(line);
    if (!source) log.refuse(undefined, "the record has no body that is an object");
    const bodies = writeBodies(source, { from, to, model }, log);
    const { writeRequest } = envelope(envelopeOf(to));
    const [only] = bodies;
    const lines = bodies.length === 1 && only !== undefined
      ? [writeRequest(wireId, only, to)]
      : bodies.map((body, index) => writeRequest(`${wireId}.${index}`, body, to));
    return { kind: "lines", lines, losses: log.losses };
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

function writeBodies(
  source: Json,
  { from, to, model }: RequestTarget,
  context: RequestContext,
): readonly Raw[] {
  if (from === to) return [withModel(source, model.id)];
  if (isChat(from) && isChat(to)) {
    const request = chatDialect(from).readRequest(source, context);
    refuseOpaqueTurns(request, context);
    return [chatDialect(to).writeRequest(withinMost(request, context), context)];
  }
  if (isChat(from) || isChat(to)) {
    return context.refuse(undefined, `${from} cannot be translated to ${to}`);
  }
  const request = embeddingDialect(from).readRequest(source, context);
  const writer = embeddingDialect(to);
  if (request.inputs.length <= writer.maxInputs) return [writer.writeRequest(request, context)];
  return request.inputs.map((input) =>
    writer.writeRequest({ ...request, inputs: [input] }, context)
  );
}

/** A body in the target's own dialect: as it was written, with the model that the job names. */
function withModel(body: Json, model: string): Raw {
  if (!body.get("model")) return body.raw;
  return object(
    ...body.members().map(({ name, value }) =>
      [name, name === "model" ? quote(model) : value.raw] as const
    ),
  );
}

/** What an answer is translated back into. */
export interface AnswerTarget {
  /** The dialect of the records as the user sent them. */
  readonly from: DialectName;
  /** The dialect that the provider was sent. */
  readonly to: DialectName;
  /** The dialect of the results. */
  readonly back: DialectName;
  /** The id of the model that ran. */
  readonly model: string;
  /** Seconds since 1970, for answers that do not say when they were made. */
  readonly created: number;
  /** Makes an id of letters and digits that no other job, record and index have. */
  madeId(wireId: string, prefix: string, index: number): string;
  /** Counts what answers hold that their dialect cannot. */
  lost(what: string): void;
}

/** An answer on its way back: its body and its tokens, or the error of its record. */
export type TranslatedAnswer =
  | { readonly kind: "answer"; readonly body: Raw; readonly usage: Usage }
  | RecordError;

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
): TranslatedAnswer {
  try {
    return answerOf(body, new Answering(wireId, line, target), target);
  } catch (error) {
    if (!(error instanceof RecordRefused)) throw error;
    return recordError("internal", `The provider's answer cannot be read: ${error.message}.`);
  }
}

function answerOf(
  body: Json,
  context: Answering,
  { from, to, back }: AnswerTarget,
): TranslatedAnswer {
  if (isChat(to) && isChat(back)) {
    const answer = chatDialect(to).readAnswer(body);
    if (answer.kind === "error") return answer;
    const written = to === back ? body.raw : chatDialect(back).writeAnswer(answer, context);
    return { kind: "answer", body: written, usage: answer.usage };
  }
  if (isChat(from) || isChat(to) || isChat(back)) {
    return recordError("internal", `${to} cannot be translated to ${back}.`);
  }
  const answer = embeddingDialect(to).readAnswer(body);
  if (answer.kind === "error") return answer;
  const request = embeddingDialect(from).readRequest(context.body(), ignoredLosses);
  return {
    kind: "answer",
    body: embeddingDialect(back).writeAnswer(answer, request, context),
    usage: { ...noUsage, input: answer.input },
  };
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
    const { from } = this.#target;
    if (!isChat(from)) throw new RecordRefused(undefined, "the record is not one of chat");
    this.#request ??= chatDialect(from).readRequest(this.body(), ignoredLosses);
    return this.#request;
  }

  /** The body of the record's request. */
  body(): Json {
    const line = this.#line();
    return envelope(envelopeOf(this.#target.from)).readBody(line) ?? line;
  }

  toolName(sent: string): string {
    const { to } = this.#target;
    if (!isChat(to)) return sent;
    this.#originalName ??= fitToolNames(this.request(), chatDialect(to).toolNames).original;
    return this.#originalName(sent);
  }
}
