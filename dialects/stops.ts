/** Why an answer ended, in the words of each dialect. */
import type { Part, StopReason } from "./chat.ts";

type Words = Readonly<Record<StopReason, string>>;

const converse: Words = {
  end: "end_turn",
  stop_seq: "stop_sequence",
  length: "max_tokens",
  tool: "tool_use",
  filter: "content_filtered",
  guardrail: "guardrail_intervened",
  refusal: "content_filtered",
  malformed: "malformed_model_output",
  context_full: "model_context_window_exceeded",
  pause: "end_turn",
  other: "end_turn",
};

const claude: Words = {
  end: "end_turn",
  stop_seq: "stop_sequence",
  length: "max_tokens",
  tool: "tool_use",
  filter: "refusal",
  guardrail: "refusal",
  refusal: "refusal",
  malformed: "end_turn",
  context_full: "model_context_window_exceeded",
  pause: "pause_turn",
  other: "end_turn",
};

const chat: Words = {
  end: "stop",
  stop_seq: "stop",
  length: "length",
  tool: "tool_calls",
  filter: "content_filter",
  guardrail: "content_filter",
  refusal: "stop",
  malformed: "stop",
  context_full: "length",
  pause: "stop",
  other: "stop",
};

const gemini: Words = {
  end: "STOP",
  stop_seq: "STOP",
  length: "MAX_TOKENS",
  tool: "STOP",
  filter: "SAFETY",
  guardrail: "SAFETY",
  refusal: "SAFETY",
  malformed: "MALFORMED_FUNCTION_CALL",
  context_full: "MAX_TOKENS",
  pause: "STOP",
  other: "OTHER",
};

/** The word of each dialect for each reason. Responses has states instead: see its answers. */
export const stopWords = { converse, claude, chat, gemini } as const;

type Meanings = Readonly<Record<string, StopReason>>;

const meanings: Readonly<Record<keyof typeof stopWords, Meanings>> = {
  converse: {
    end_turn: "end",
    stop_sequence: "stop_seq",
    max_tokens: "length",
    tool_use: "tool",
    content_filtered: "filter",
    guardrail_intervened: "guardrail",
    malformed_tool_use: "malformed",
    malformed_model_output: "malformed",
    model_context_window_exceeded: "context_full",
  },
  claude: {
    end_turn: "end",
    stop_sequence: "stop_seq",
    max_tokens: "length",
    tool_use: "tool",
    refusal: "filter",
    model_context_window_exceeded: "context_full",
    pause_turn: "pause",
  },
  chat: {
    stop: "end",
    length: "length",
    tool_calls: "tool",
    function_call: "tool",
    content_filter: "filter",
  },
  gemini: {
    STOP: "end",
    MAX_TOKENS: "length",
    CONTINUATION: "length",
    SAFETY: "filter",
    RECITATION: "filter",
    BLOCKLIST: "filter",
    PROHIBITED_CONTENT: "filter",
    SPII: "filter",
    IMAGE_SAFETY: "filter",
    LANGUAGE: "filter",
    MALFORMED_FUNCTION_CALL: "malformed",
    UNEXPECTED_TOOL_CALL: "malformed",
    TOO_MANY_TOOL_CALLS: "malformed",
    MISSING_THOUGHT_SIGNATURE: "malformed",
  },
};

/** A reason as it was read; `stopRaw` is there where the word is not known. */
export interface ReadStop {
  readonly stop: StopReason;
  readonly stopRaw?: string;
}

/**
 * Reads why an answer ended. A call among its parts makes it `tool`, as Gemini and some models of
 * OpenAI say STOP there, unless it was cut off or stopped by a filter.
 */
export function readStop(
  words: keyof typeof stopWords,
  word: string | undefined,
  parts: readonly Part[],
): ReadStop {
  const table = meanings[words];
  const known = word !== undefined && Object.hasOwn(table, word) ? table[word] : undefined;
  const stop = known ?? (word === undefined ? "end" : "other");
  // A refusal in the model's own words is one, whatever the reason beside it.
  if (parts.some(({ kind }) => kind === "refusal")) return { stop: "refusal" };
  const ends = stop === "end" || stop === "other" || stop === "stop_seq";
  if (ends && parts.some(({ kind }) => kind === "call")) return { stop: "tool" };
  return stop === "other" && word !== undefined ? { stop, stopRaw: word } : { stop };
}
