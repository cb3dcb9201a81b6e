/** A request as the simulated models understand it, whichever provider it was written for. */
import type { Json } from "../context.ts";
import type { JsonObject } from "../json.ts";
import type { Media } from "./media.ts";

/** A tool that the model is offered. */
export interface Tool {
  readonly name: string;
  /** JSON schema or Gemini's form of it; absent for a tool without arguments. */
  readonly schema?: JsonObject;
}

/** Which tool the model must call. */
export type Choice = "auto" | "any" | "none" | { readonly name: string };

/** What is asked of the model. */
export interface Ask {
  /** The last text of the user. */
  readonly prompt: string;
  /** All text of the request, for its token count. */
  readonly everything: string;
  readonly tools?: readonly Tool[];
  readonly choice?: Choice;
  /** One call at most. */
  readonly single?: boolean;
  /** The last turn holds results of calls. */
  readonly continues?: boolean;
  /** The answer must be JSON, of this schema where it has one. */
  readonly format?: { readonly schema?: JsonObject };
  readonly stops?: readonly string[];
  /** Limit of tokens, thinking included. */
  readonly maxTokens?: number;
  readonly media?: readonly Media[];
  readonly thinks?: boolean;
}

/** A call of a tool. */
export interface Call {
  readonly name: string;
  readonly input: Json;
}

/** Why the model stopped. */
export type Stop = "end" | "stop_sequence" | "length" | "tool" | "refusal" | "filter";

/** What the model answers. */
export interface Reply {
  readonly text: string;
  readonly calls: readonly Call[];
  /** Absent where no reasoning was asked for. */
  readonly thinking?: string;
  /** The reasoning is hidden. */
  readonly secret: boolean;
  /** The model's own words where it declines. */
  readonly refusal?: string;
  readonly stop: Stop;
  readonly stopText?: string;
  /** Everything that was read, cached tokens included. */
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly thinkingTokens: number;
  /** Everything that was written, thinking included. */
  readonly outputTokens: number;
}
