/** What each dialect of chat records offers: both ways between its bodies and the neutral form. */
import type { ChatAnswer, ChatRequest, RecordError } from "./chat.ts";
import type { NameRule } from "./fit.ts";
import type { ModelFacts } from "./families.ts";
import type { Json, Raw } from "./json.ts";
import type { LossLog } from "./loss.ts";
import type { ChatDialectName } from "./names.ts";

/** The model that a translated record is for. */
export interface TargetModel {
  /** The id as the target's API takes it. */
  readonly id: string;
  /** What models of its family take and refuse. */
  readonly facts: ModelFacts;
}

/** What a writer of a request needs besides the request. */
export interface RequestContext extends LossLog {
  readonly model: TargetModel;
}

/** What a writer of an answer needs besides the answer. */
export interface AnswerContext {
  /** Used where the answer does not name its model. */
  readonly model: string;
  /** Seconds since 1970, used where the answer does not say when it was made. */
  readonly created: number;
  /**
   * Makes an id that no other record or job has, the same at every call with the same index.
   *
   * @param prefix Such as `toolu_` or `msg_`.
   * @param index Counts the ids of one prefix in one answer.
   */
  madeId(prefix: string, index: number): string;
  /** Takes note that the answer holds something that this dialect cannot: by kind, for counting. */
  lost(what: string): void;
  /** The record's request in the neutral form; read when first asked for. */
  request(): ChatRequest;
  /**
   * The tool's name as the record has it, where the target had to be sent another one; see
   * `fit.ts`.
   */
  toolName(sent: string): string;
}

/** A dialect of chat records. Pure: the same input gives the same output. */
export interface ChatDialect {
  readonly name: ChatDialectName;
  /** What it takes as names of tools; see `fit.ts`. */
  readonly toolNames: NameRule;

  /**
   * Reads the body of a request: what stands in `modelInput`, `body`, `request` or `params`.
   * A member that it does not know goes to `native`; whatever is left out is logged.
   */
  readRequest(body: Json, log: LossLog): ChatRequest;

  /** Writes the body of a request, as JSON text. Logs whatever the target cannot take. */
  writeRequest(request: ChatRequest, context: RequestContext): Raw;

  /**
   * Reads the body of an answer: what stands in `modelOutput`, `response.body`, `response` or
   * `result.message`. A body that reports a failure (Responses: `status: "failed"`) is an error.
   */
  readAnswer(body: Json): ChatAnswer | RecordError;

  /** Writes the body of an answer, as the official SDKs of the dialect take it. */
  writeAnswer(answer: ChatAnswer, context: AnswerContext): Raw;
}
