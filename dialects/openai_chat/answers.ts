/** Answers of OpenAI's chat completions. */
import type { Answer, ChatAnswer, Part, RecordError, TextPart, Usage } from "../chat.ts";
import type { AnswerContext } from "../dialect.ts";
import { recordError } from "../errors.ts";
import type { Json, Raw } from "../json.ts";
import { array, joinTexts, type Member, object, quote, someArray } from "../raw.ts";
import { readStop, stopWords } from "../stops.ts";
import { argumentsOfText, argumentsText } from "../tool_values.ts";
import { countAt, promptOf, someCountAt, totalOf } from "../usage.ts";

/** Reads the body of an answer. */
export function readAnswer(body: Json): ChatAnswer | RecordError {
  const choices = body.get("choices");
  if (choices?.kind !== "array") {
    return recordError("internal", "The provider's answer holds no choices.");
  }
  return {
    kind: "answer",
    id: body.get("id")?.text,
    model: body.get("model")?.text,
    created: body.get("created")?.number,
    answers: choices.list.map(readChoice),
    usage: readUsage(body.get("usage"), "prompt_tokens", "completion_tokens"),
  };
}

function readChoice(choice: Json): Answer {
  const message = choice.get("message");
  const parts: Part[] = [];
  const thought = message?.get("reasoning_content");
  if (thought?.kind === "string") {
    parts.push({ kind: "thinking", text: thought.raw, at: thought.at });
  }
  const content = message?.get("content");
  const annotations = message?.get("annotations");
  if (content?.kind === "string") {
    const citations = annotations && annotations.list.length > 0
      ? { owner: "openai" as const, raw: annotations.raw }
      : undefined;
    parts.push({ kind: "text", text: content.raw, at: content.at, citations });
  }
  const refusal = message?.get("refusal");
  if (refusal?.kind === "string") {
    parts.push({ kind: "refusal", text: refusal.raw, at: refusal.at });
  }
  const old = message?.get("function_call");
  const calls = message?.get("tool_calls")?.list ?? [];
  for (const call of old ? [...calls, old] : calls) {
    const inner = call.get("function") ?? call;
    parts.push({
      kind: "call",
      id: call.get("id")?.text ?? "",
      name: inner.get("name")?.text ?? "",
      args: argumentsOfText(inner.get("arguments")?.raw),
      at: call.at,
    });
  }
  return {
    parts,
    ...readStop("chat", choice.get("finish_reason")?.text, parts),
    logprobs: choice.get("logprobs")?.raw,
  };
}

/**
 * Reads OpenAI's usage, whose prompt holds the tokens from and to a cache.
 *
 * @param prompt The member of the prompt's tokens: chat and Responses name it differently.
 * @param completion The member of the answer's tokens.
 */
export function readUsage(usage: Json | undefined, prompt: string, completion: string): Usage {
  const details = usage?.get(`${prompt}_details`);
  const cacheRead = countAt(details, "cached_tokens");
  const cacheWrite = countAt(details, "cache_write_tokens");
  return {
    input: Math.max(0, countAt(usage, prompt) - cacheRead - cacheWrite),
    cacheRead,
    cacheWrite,
    output: countAt(usage, completion),
    thinking: someCountAt(usage?.get(`${completion}_details`), "reasoning_tokens"),
  };
}

/** OpenAI's usage, by parts: chat and Responses name and order them differently. */
export function usageParts({ cacheRead, cacheWrite, thinking, ...usage }: Usage): {
  readonly prompt: Raw;
  readonly promptDetails: Raw;
  readonly completion: Raw;
  readonly completionDetails: Raw;
  readonly total: Raw;
} {
  const all = { ...usage, cacheRead, cacheWrite };
  return {
    prompt: String(promptOf(all)),
    promptDetails: object(
      ["cached_tokens", String(cacheRead)],
      ["cache_write_tokens", String(cacheWrite)],
    ),
    completion: String(usage.output),
    completionDetails: object(["reasoning_tokens", String(thinking ?? 0)]),
    total: String(totalOf(all)),
  };
}

function writeUsage(usage: Usage): Raw {
  const { prompt, promptDetails, completion, completionDetails, total } = usageParts(usage);
  return object(
    ["prompt_tokens", prompt],
    ["completion_tokens", completion],
    ["total_tokens", total],
    ["prompt_tokens_details", promptDetails],
    ["completion_tokens_details", completionDetails],
  );
}

/** Writes the body of an answer, with all members that the SDK's types require. */
export function writeAnswer(answer: ChatAnswer, context: AnswerContext): Raw {
  return object(
    ["id", quote(answer.id ?? context.madeId("chatcmpl-", 0))],
    ["object", '"chat.completion"'],
    ["created", String(answer.created ?? context.created)],
    ["model", quote(answer.model ?? context.model)],
    ["choices", array(answer.answers.map((one, index) => writeChoice(one, index, context)))],
    ["usage", writeUsage(answer.usage)],
  );
}

function writeChoice(answer: Answer, index: number, context: AnswerContext): Raw {
  const { parts, stop, filter } = answer;
  if (answer.stopRaw !== undefined) context.lost("a stop reason that is not known");
  if (answer.stopText !== undefined) context.lost("the stop text that matched");
  const texts = parts.filter((part): part is TextPart => part.kind === "text");
  if (texts.some(({ citations }) => citations)) context.lost("citations");
  const calls = parts.flatMap((part, at) =>
    part.kind === "call" ? [writeCall(part, at, context)] : []
  );
  for (const { kind } of parts) {
    if (kind === "thinking" || kind === "redacted") context.lost("reasoning");
    if (kind === "media") context.lost("media");
    if (kind === "opaque") context.lost("parts that only the provider's own API knows");
  }
  const refusal = parts.find(({ kind }) => kind === "refusal");
  const words = refusal?.kind === "refusal"
    ? refusal.text
    : stop === "filter"
    ? filter?.explanation
    : undefined;
  const message = object(
    ["role", '"assistant"'],
    ["content", texts.length > 0 ? joinTexts(texts.map(({ text }) => text)) : "null"],
    ["refusal", words ?? "null"],
    ["tool_calls", someArray(calls)],
  );
  return object(
    ["index", String(index)],
    ["message", message],
    ["logprobs", answer.logprobs ?? "null"],
    ["finish_reason", quote(stopWords.chat[stop])],
  );
}

function writeCall(part: CallPart, index: number, context: AnswerContext): Raw {
  const { id, members } = callParts(part, index, context);
  return object(["id", id], ["type", '"function"'], ["function", object(...members)]);
}

type CallPart = Extract<Part, { kind: "call" }>;

/**
 * Returns the id of a call, which is made where it has none, and its function's name and arguments.
 */
export function callParts(
  part: CallPart,
  index: number,
  context: AnswerContext,
): { readonly id: Raw; readonly members: readonly Member[] } {
  if (part.signature !== undefined) context.lost("signatures of thoughts");
  const id = part.id === "" ? context.madeId("call_", index) : part.id;
  return {
    id: quote(id),
    members: [
      ["name", quote(context.toolName(part.name))],
      ["arguments", argumentsText(part)],
    ],
  };
}
