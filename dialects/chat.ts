/**
 * The neutral form of a chat record: a small parsed spine, with everything that passes on unread as
 * raw JSON. Each part knows where it stood in the source line (`at`), so that a loss can be named by
 * the path that its writer knows.
 */
import type { Raw } from "./json.ts";

/** Whose signature, file id or server tool something is; only its owner can use it. */
export type Owner = "claude" | "openai" | "gemini" | "bedrock" | "nova";

/** Something at a place of the source line. */
interface Placed {
  /** Where it begins in the source line (`Json.at`). */
  readonly at: number;
}

/** Where members of something begin in the source line, so that a loss is named by its member. */
export type Places<Name extends string> = Readonly<Partial<Record<Name, number | undefined>>>;

/** A number as it was written, and its value. */
export interface Num extends Placed {
  readonly raw: Raw;
  readonly value: number;
}

export interface TextPart extends Placed {
  readonly kind: "text";
  /** A JSON string, quotes included. */
  readonly text: Raw;
  /** Citations of an answer, in the form of their owner. */
  readonly citations?: { readonly owner: Owner; readonly raw: Raw } | undefined;
}

/** Where the bytes of an image, a document, a sound or a film are. */
export type MediaSource =
  /** A JSON string of base64. */
  | { readonly in: "data"; readonly data: Raw }
  /** A JSON string of a URL; the gateway never fetches it. */
  | { readonly in: "url"; readonly url: Raw }
  /** A document that is plain text: a JSON string. */
  | { readonly in: "text"; readonly text: Raw }
  /** An object in S3, in Converse's form `{"uri": …}`. */
  | { readonly in: "s3"; readonly location: Raw }
  /** A file at a provider: a JSON string of its id or URI. */
  | { readonly in: "file"; readonly owner: Owner; readonly id: Raw };

export interface MediaPart extends Placed {
  readonly kind: "media";
  readonly media: "image" | "document" | "audio" | "video";
  /** In lower case, such as `image/png`; as the source labels it. Empty where it does not. */
  readonly mime: string;
  readonly from: MediaSource;
  /** The file name or title, a JSON string. */
  readonly name?: Raw | undefined;
  /** What OpenAI calls detail: `low`, `high`, `auto`. A JSON string. */
  readonly detail?: Raw | undefined;
  /** A document's context, a JSON string. */
  readonly context?: Raw | undefined;
  /** Whether citations of the document are asked for. */
  readonly cite?: boolean | undefined;
  readonly places?: Places<"name" | "detail" | "context" | "cite"> | undefined;
}

/** A call of a tool. */
export interface CallPart extends Placed {
  readonly kind: "call";
  /** The id that the source has, unescaped; empty where it has none. */
  readonly id: string;
  readonly name: string;
  /** The arguments: the JSON of an object, or a text that is not one. */
  readonly args: { readonly object: Raw } | { readonly text: Raw };
  /** Gemini's signature of the thought that led to the call, a JSON string. */
  readonly signature?: Raw | undefined;
}

/** The result of a call. */
export interface ResultPart extends Placed {
  readonly kind: "result";
  /** The id of the call; empty where the source has none (Gemini: the order and name pair them). */
  readonly id: string;
  /** The tool's name, where the source says it. */
  readonly name?: string | undefined;
  /** What it holds, in order: texts, media, and JSON values. */
  readonly content: readonly (TextPart | MediaPart | JsonPart)[];
  readonly error: boolean;
  readonly places?: Places<"content" | "error"> | undefined;
}

/** A JSON value as (a part of) the result of a call. */
export interface JsonPart extends Placed {
  readonly kind: "json";
  readonly json: Raw;
}

export interface ThinkingPart extends Placed {
  readonly kind: "thinking";
  /** A JSON string; `""` where the provider only gave a signature. */
  readonly text: Raw;
  readonly signature?: { readonly owner: Owner; readonly raw: Raw } | undefined;
}

export type Part =
  | TextPart
  | MediaPart
  | CallPart
  | ResultPart
  | ThinkingPart
  /** Reasoning that only its owner can read; `data` is a JSON string in Claude's form. */
  | Placed & { readonly kind: "redacted"; readonly owner: Owner; readonly data: Raw }
  /** The model's own words of refusal, a JSON string. */
  | Placed & { readonly kind: "refusal"; readonly text: Raw }
  /** A point up to which the prompt may be cached. */
  | Placed & { readonly kind: "cache"; readonly ttl?: "5m" | "1h" | undefined }
  /** A part that only the source's own API knows; `what` completes "… cannot be carried over". */
  | Placed & {
    readonly kind: "opaque";
    readonly owner: Owner;
    readonly raw: Raw;
    readonly what: string;
  };

export interface Turn extends Placed {
  readonly role: "user" | "assistant" | "system";
  readonly parts: readonly Part[];
  /** Where its content begins. */
  readonly content?: number | undefined;
  /** What OpenAI calls the name of a message. */
  readonly name?: { readonly raw: Raw; readonly at: number } | undefined;
}

/** A function that the model may call. */
export interface FunctionTool extends Placed {
  readonly kind: "function";
  readonly name: string;
  /** A JSON string. */
  readonly description?: Raw | undefined;
  readonly schema?: Schema | undefined;
  readonly strict?: boolean | undefined;
  readonly places?: Places<"strict"> | undefined;
}

/** A JSON schema, in the form that the source's API takes. */
export interface Schema extends Placed {
  /** Whether it stood inside of a text, so that places in it are not places of the line. */
  readonly inText?: true | undefined;
  readonly raw: Raw;
  /** `openapi`: Gemini's subset with types in upper case. */
  readonly form: "json-schema" | "openapi";
}

export type Tool =
  | FunctionTool
  /** A tool that the provider itself runs, such as web search; `what` names it. */
  | Placed & {
    readonly kind: "server";
    readonly owner: Owner;
    readonly raw: Raw;
    readonly what: string;
  };

export type ToolChoice =
  & Placed
  & (
    | { readonly mode: "auto" | "any" | "none" }
    | { readonly mode: "tool"; readonly name: string }
    /** Only these tools; `must`: one of them has to be called. */
    | { readonly mode: "allowed"; readonly names: readonly string[]; readonly must: boolean }
  );

export interface Format extends Placed {
  readonly kind: "json" | "schema";
  readonly name?: string | undefined;
  /** A JSON string. */
  readonly description?: Raw | undefined;
  readonly schema?: Schema | undefined;
  readonly strict?: boolean | undefined;
  readonly places?: Places<"name" | "description"> | undefined;
}

export const efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
export type Effort = typeof efforts[number];

/** How much the model is asked to think. */
export interface Reasoning extends Placed {
  readonly mode: "off" | "on" | "adaptive";
  /** Tokens. */
  readonly budget?: Num | undefined;
  readonly effort?: Effort | undefined;
  /** What of it is to be seen in the answer. */
  readonly show?: "none" | "summary" | "full" | undefined;
}

/** A member that does not change what is answered, or that only the source's API knows. */
export interface Extra extends Placed {
  readonly raw: Raw;
  /** Its name in the source's API, such as `serviceTier`. */
  readonly name: string;
}

export interface ChatRequest {
  /** System prompts before the first turn. */
  readonly system: readonly Part[];
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly choice?: ToolChoice | undefined;
  /** Whether several calls may come at once. */
  readonly parallel?: { readonly value: boolean; readonly at: number } | undefined;
  readonly format?: Format | undefined;
  readonly maxOut?: Num | undefined;
  readonly temperature?: Num | undefined;
  readonly topP?: Num | undefined;
  readonly topK?: Num | undefined;
  /** JSON strings. */
  readonly stop: readonly { readonly raw: Raw; readonly at: number }[];
  readonly seed?: Num | undefined;
  /** How many answers are asked for. */
  readonly answers?: Num | undefined;
  readonly presencePenalty?: Num | undefined;
  readonly frequencyPenalty?: Num | undefined;
  readonly logitBias?: Extra | undefined;
  /** Log probabilities of the answer's tokens; `top` alternatives a token. */
  readonly logprobs?: Placed & { readonly top?: Num | undefined } | undefined;
  readonly reasoning?: Reasoning | undefined;
  /** A user's id, a JSON string. */
  readonly user?: Extra | undefined;
  /** Pairs of metadata, a JSON object. */
  readonly metadata?: Extra | undefined;
  /** The class of service, a JSON string. */
  readonly tier?: Extra | undefined;
  /** A key or setting of the prompt's cache. */
  readonly cacheKey?: Extra | undefined;
  /** Whether the provider may store the answer. */
  readonly store?: Placed & { readonly value: boolean } | undefined;
  /** Whether the source's answers say which stop sequence was met. */
  readonly wantsStopText?: true | undefined;
  /** Members that change the answer and that only the source's API knows; dropped with a report. */
  readonly native: readonly Extra[];
  /** The same where they cannot change the answer. */
  readonly nativeHints: readonly Extra[];
}

export type StopReason =
  | "end"
  | "stop_seq"
  | "length"
  | "tool"
  | "filter"
  | "guardrail"
  | "refusal"
  | "malformed"
  | "context_full"
  | "pause"
  | "other";

/** Tokens; each whole and not negative. */
export interface Usage {
  /** Read, without those that came from or went to a cache. */
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  /** Of those that went to a cache, the ones that stay for an hour; undefined where it does not say. */
  readonly cacheWriteHour?: number | undefined;
  /** Written, thinking included. */
  readonly output: number;
  /** Of the output, those of thinking; undefined where the source does not say. */
  readonly thinking?: number | undefined;
}

/** One of the answers to a record. */
export interface Answer {
  readonly parts: readonly Part[];
  readonly stop: StopReason;
  /** What the source said, where `stop` is `other`. */
  readonly stopRaw?: string | undefined;
  /** The stop sequence that was met, a JSON string. */
  readonly stopText?: Raw | undefined;
  /** Why a classifier stopped it: category and explanation, JSON strings. */
  readonly filter?:
    | { readonly category?: Raw | undefined; readonly explanation?: Raw | undefined }
    | undefined;
  /** Log probabilities in OpenAI's form. */
  readonly logprobs?: Raw | undefined;
}

/** The answers to a record. A prompt that was blocked has one answer without parts, stop `filter`. */
export interface ChatAnswer {
  readonly kind: "answer";
  /** The provider's id of the answer, unescaped. */
  readonly id?: string | undefined;
  /** The model that ran, unescaped. */
  readonly model?: string | undefined;
  /** Seconds since 1970. */
  readonly created?: number | undefined;
  readonly answers: readonly Answer[];
  readonly usage: Usage;
}

/** What kind of error a record met; see `errors.ts` for how each dialect writes it. */
export type ErrorKind =
  | "bad_request"
  | "too_long"
  | "auth"
  | "forbidden"
  | "quota"
  | "not_found"
  | "rate"
  | "timeout"
  | "model"
  | "internal"
  | "unavailable"
  | "expired"
  | "stopped";

/** A record's error. */
export interface RecordError {
  readonly kind: "error";
  readonly error: ErrorKind;
  /** The HTTP status that fits it; a writer keeps it where its dialect has one. */
  readonly http: number;
  /** The provider's or the gateway's words, unescaped. */
  readonly message: string;
  /** The provider's own code, such as `invalid_prompt`. */
  readonly code?: string | undefined;
}
