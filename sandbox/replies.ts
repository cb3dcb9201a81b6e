/**
 * What the simulated models answer to plain text: the same text for the same prompt, with usage
 * numbers that add up. Sums are right, so that a pipeline can check its results.
 */
import { createHash } from "node:crypto";
import type { Json } from "./context.ts";
import { list, object, string } from "./json.ts";

/** A model's answer before a provider gives it its form. */
export interface Completion {
  readonly text: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** The reply was cut at the limit of tokens that the request set. */
  readonly truncated: boolean;
}

/** What a provider's form needs besides the request. */
export interface ReplyFacts {
  /** Unlike any other reply's: `chatcmpl-…`, `msg_…` are made from it. */
  readonly id: string;
  readonly createdAt: Date;
}

const charactersPerToken = 4;
const echoedCharacters = 200;

/** The reply to a prompt: `2 + 2 = 4` for `What is 2 + 2?`, else an echo with a stable hash. */
export function replyText(prompt: string): string {
  const sum = /what is (-?\d{1,100}) ?\+ ?(-?\d{1,100})/i.exec(prompt);
  if (sum?.[1] !== undefined && sum[2] !== undefined) {
    return `${sum[1]} + ${sum[2]} = ${BigInt(sum[1]) + BigInt(sum[2])}`;
  }
  const hash = createHash("sha256").update(prompt).digest("hex").slice(0, 8);
  const echo = Array.from(prompt.slice(0, echoedCharacters * 2)).slice(0, echoedCharacters);
  return `Reply ${hash}: ${echo.join("")}`;
}

/** About how many tokens a text has: one for each four characters begun. */
export function tokenCount(text: string): number {
  return Math.ceil(text.length / charactersPerToken);
}

/**
 * Answers a prompt.
 *
 * @param prompt What the reply is about: the last thing the user said.
 * @param everything All text of the request, for its token count.
 * @param maxTokens Limit of the reply; none where undefined.
 */
export function complete(prompt: string, everything: string, maxTokens?: number): Completion {
  const full = replyText(prompt);
  const truncated = maxTokens !== undefined && tokenCount(full) > maxTokens;
  const text = truncated ? full.slice(0, Math.max(0, maxTokens) * charactersPerToken) : full;
  return { text, inputTokens: tokenCount(everything), outputTokens: tokenCount(text), truncated };
}

/** The text in a message's content: a string, or the text of its parts. */
export function contentText(content: Json | undefined): string {
  if (typeof content === "string") return content;
  return list(content).map((part) => string(object(part).text) ?? "").join("");
}

/** The user's last message and all text, of messages with `role` and `content` (or `parts`). */
export function conversation(messages: Json | undefined): { prompt: string; everything: string } {
  let prompt = "";
  let everything = "";
  for (const message of list(messages)) {
    const { role, content, parts } = object(message);
    const text = contentText(content ?? parts);
    everything += text;
    if (role === "user" || role === undefined) prompt = text;
  }
  return { prompt, everything };
}

/** A unit vector that depends only on the text; `dimensions` is held between 1 and 4,096. */
export function embedding(text: string, dimensions: number): number[] {
  const seed = createHash("sha256").update(text).digest();
  let state = seed.readUInt32LE(0) || 1;
  const vector = Array.from({ length: Math.min(4096, Math.max(1, dimensions | 0)) }, () => {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  });
  const norm = Math.hypot(...vector);
  return vector.map((value) => Number((value / norm).toFixed(8)));
}
