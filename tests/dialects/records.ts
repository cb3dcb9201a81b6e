/** Records of each dialect made from their bodies, translated, and what was reported of them. */
import assert from "node:assert/strict";
import { envelope } from "../../dialects/envelopes.ts";
import { parseJson } from "../../dialects/json.ts";
import { targetModel } from "../../dialects/models.ts";
import { envelopeOf } from "../../dialects/names.ts";
import type { DialectName } from "../../dialects/names.ts";
import { translateAnswer, translateRequest } from "../../dialects/translate.ts";

/** A model of each target that has few peculiarities. */
export const models: Readonly<Record<DialectName, string>> = {
  "bedrock-converse": "anthropic.claude-haiku-4-5-20251001-v1:0",
  "bedrock-anthropic": "anthropic.claude-haiku-4-5-20251001-v1:0",
  "bedrock-nova": "amazon.nova-lite-v1:0",
  "bedrock-llama": "meta.llama3-1-8b-instruct-v1:0",
  "bedrock-openai": "openai.gpt-oss-120b-1:0",
  "bedrock-titan-embed": "amazon.titan-embed-text-v2:0",
  "openai-chat": "gpt-4.1-mini",
  "openai-responses": "gpt-4.1-mini",
  "openai-embeddings": "text-embedding-3-small",
  gemini: "gemini-2.5-flash",
  anthropic: "claude-haiku-4-5",
};

/** A pair of dialects, and the model of the target. */
export interface Way {
  readonly from: DialectName;
  readonly to: DialectName;
  readonly model?: string;
}

/** What became of a record. */
export interface Sent {
  /** The body at the target; undefined where the record was refused. */
  readonly body: string | undefined;
  /** Why it was refused. */
  readonly refused: string | undefined;
  /** A line a loss, sorted: `?` before one that cannot change the answer. */
  readonly losses: readonly string[];
}

/** Translates a record with this body (JSON). */
export function sent(body: string, { from, to, model }: Way): Sent {
  const line = parseJson(envelope(envelopeOf(from)).writeRequest("id-1", body, from));
  const facts = targetModel({ id: model ?? models[to] });
  const result = translateRequest(line, "r0000001", { from, to, model: facts });
  const losses = result.losses.map(({ hint, path, kind }) => `${hint ? "? " : ""}${path} ${kind}`);
  if (result.kind === "refused") {
    return { body: undefined, refused: result.error.message, losses: losses.sort() };
  }
  const [only, ...others] = result.lines;
  assert(only !== undefined && others.length === 0);
  const written = envelope(envelopeOf(to)).readBody(parseJson(only));
  assert(written);
  return { body: written.raw, refused: undefined, losses: losses.sort() };
}

/** The same, for a record that has to be sent. */
export function sentBody(body: string, way: Way): string {
  const { body: written, refused } = sent(body, way);
  assert(written !== undefined, refused ?? "");
  return written;
}

/** An answer in another dialect. */
export interface Back {
  readonly body: string;
  /** Kinds of what it could not hold. */
  readonly lost: readonly string[];
  readonly usage: {
    readonly input: number;
    readonly cacheRead: number;
    readonly cacheWrite: number;
    readonly output: number;
  };
}

/**
 * Translates an answer (JSON) of the dialect `to` back to `from`.
 *
 * @param request The body of the record that it answers.
 */
export function back(answer: string, { from, to, model }: Way, request = requests[from]): Back {
  const lost: string[] = [];
  const line = parseJson(envelope(envelopeOf(from)).writeRequest("id-1", request, from));
  const result = translateAnswer(parseJson(answer), "r0000001", () => line, {
    from,
    to,
    back: from,
    model: model ?? models[to],
    created: 1767225600,
    madeId: (wireId, prefix, index) => `${prefix}${wireId}${index === 0 ? "" : `_${index}`}`,
    lost: (what) => lost.push(what),
  });
  assert(result.kind === "answer", JSON.stringify(result));
  return { body: result.body, lost, usage: result.usage };
}

/** A smallest request of each dialect. */
export const requests: Readonly<Record<DialectName, string>> = {
  "bedrock-converse": '{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}',
  "bedrock-anthropic":
    '{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}',
  "bedrock-nova":
    '{"schemaVersion":"messages-v1","messages":[{"role":"user","content":[{"text":"Hi"}]}]}',
  "bedrock-llama":
    '{"prompt":"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\\n\\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\\n\\n","max_gen_len":9}',
  "bedrock-openai": '{"messages":[{"role":"user","content":"Hi"}]}',
  "bedrock-titan-embed": '{"inputText":"Hi"}',
  "openai-chat": '{"model":"m","messages":[{"role":"user","content":"Hi"}]}',
  "openai-responses": '{"model":"m","input":"Hi"}',
  "openai-embeddings": '{"model":"m","input":"Hi"}',
  gemini: '{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}',
  anthropic: '{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}',
};
