/**
 * Llama's InvokeModel on Bedrock: one prompt whose header tokens are turns (Meta's model card of
 * Llama 3). Tools, media and schemas have no form there.
 */
import type { Answer, ChatAnswer, ChatRequest, Part, RecordError, Turn } from "../chat.ts";
import type { AnswerContext, ChatDialect, RequestContext } from "../dialect.ts";
import { recordError } from "../errors.ts";
import type { Json, Raw } from "../json.ts";
import type { LossLog } from "../loss.ts";
import { joinTexts, object, quote, unquote } from "../raw.ts";
import { numberAt, othersOf, rawTextAt } from "../reading.ts";
import { resultText } from "../tool_values.ts";
import { countAt, promptOf } from "../usage.ts";
import {
  clampedTemperature,
  refuseSeveralAnswers,
  reportDropped,
  reportHints,
  reportNames,
  reportNatives,
  reportPart,
} from "../writing.ts";

const known: ReadonlySet<string> = new Set([
  "prompt",
  "max_gen_len",
  "temperature",
  "top_p",
  "images",
]);

const header = /<\|start_header_id\|>\s*([a-z_]+)\s*<\|end_header_id\|>/;
/** Tokens that end a turn, or begin the text. */
const ends = /<\|(?:eot_id|eom_id|end_of_text|begin_of_text)\|>/g;

function readRequest(body: Json, log: LossLog): ChatRequest {
  const prompt = rawTextAt(body, "prompt", log);
  const at = body.get("prompt")?.at ?? body.at;
  const images = body.get("images");
  if (images) log.refuse(images.at, "images of a prompt of Llama are not carried over");
  const turns = turnsOf(unquote(prompt ?? '""'), at);
  return {
    system: turns.flatMap(({ role, parts }) => role === "system" ? parts : []),
    turns: turns.filter(({ role }) => role !== "system"),
    tools: [],
    stop: [],
    maxOut: numberAt(body, "max_gen_len", log),
    temperature: numberAt(body, "temperature", log),
    topP: numberAt(body, "top_p", log),
    native: othersOf(body, known),
    nativeHints: [],
  };
}

/** The turns of a prompt. One without header tokens is the user's, as it stands. */
function turnsOf(prompt: string, at: number): Turn[] {
  const pieces = prompt.split(header);
  const turn = (role: Turn["role"], text: string): Turn => ({
    role,
    parts: [{ kind: "text", text: quote(text), at }],
    at,
  });
  const [before = "", ...rest] = pieces;
  const turns: Turn[] = [];
  const lead = before.replace(ends, "");
  if (rest.length === 0) return [turn("user", lead)];
  if (lead.trim() !== "") turns.push(turn("user", lead.trim()));
  for (let index = 0; index + 1 < rest.length; index += 2) {
    const text = (rest[index + 1] ?? "").replace(ends, "").trim();
    const role = rest[index];
    // An open header of the assistant asks for the answer: it is not a turn.
    const isOpen = index + 2 >= rest.length && role === "assistant" && text === "";
    if (isOpen) continue;
    turns.push(turn(role === "system" || role === "assistant" ? role : "user", text));
  }
  return turns;
}

function writeRequest(request: ChatRequest, context: RequestContext): Raw {
  refuseSeveralAnswers(request, context);
  reportNatives(request, context);
  reportNames(request, context);
  const { topK, seed, presencePenalty, frequencyPenalty, logitBias, logprobs, format, reasoning } =
    request;
  reportDropped(context, {
    "top-k": topK,
    "a seed": seed,
    "a presence penalty": presencePenalty,
    "a frequency penalty": frequencyPenalty,
    "a logit bias": logitBias,
    "log probabilities": logprobs,
    "the form of the answer": format,
    "reasoning": reasoning?.mode === "off" ? undefined : reasoning,
  });
  for (const { at } of request.stop) context.dropped(at, "the target takes no stop sequences");
  const [tool] = request.tools;
  if (tool) context.refuse(tool.at, "the target has no form for tools");
  reportHints([request.user, request.metadata, request.tier, request.cacheKey], context);
  const system = request.system.length > 0
    ? [{ role: "system" as const, parts: request.system, at: 0 }]
    : [];
  const blocks = [...system, ...request.turns].map(({ role, parts }) =>
    `${headerOf(role)}${textOf(parts, context)}<|eot_id|>`
  );
  const prompt = `<|begin_of_text|>${blocks.join("")}${headerOf("assistant")}`;
  return object(
    ["prompt", quote(prompt)],
    ["max_gen_len", request.maxOut?.raw],
    ["temperature", clampedTemperature(request.temperature, context)],
    ["top_p", request.topP?.raw],
  );
}

const token = /<\|\w+\|>/;
const tokens = /<\|(\w+)\|>/g;

function headerOf(role: string): string {
  return `<|start_header_id|>${role}<|end_header_id|>\n\n`;
}

/** Text of a user must not be able to end its turn: special tokens lose their bars. */
function textOf(parts: readonly Part[], context: RequestContext): string {
  const text = parts.map((part) => {
    if (part.kind === "text" || part.kind === "refusal") return unquote(part.text);
    if (part.kind === "result") {
      context.approximated(part.at, "a tool's result is sent as text");
      return part.content.map((one) => one.kind === "media" ? "" : unquote(resultText(one))).join(
        "",
      );
    }
    if (part.kind === "media") return context.refuse(part.at, "the target takes no media");
    if (part.kind === "call") return context.refuse(part.at, "the target has no form for calls");
    reportPart(part, context);
    return "";
  }).join("");
  const [first] = parts;
  if (first && token.test(text)) {
    context.approximated(
      first.at,
      "without the bars of what looks like a token of the model's own",
    );
  }
  return text.replaceAll(tokens, "<$1>");
}

function readAnswer(body: Json): ChatAnswer | RecordError {
  const generation = body.get("generation");
  if (generation?.kind !== "string") {
    return recordError("internal", "The provider's answer holds no generation.");
  }
  const text: Part = { kind: "text", text: generation.raw, at: generation.at };
  const answer: Answer = {
    parts: [text],
    stop: body.get("stop_reason")?.text === "length" ? "length" : "end",
  };
  return {
    kind: "answer",
    answers: [answer],
    usage: {
      input: countAt(body, "prompt_token_count"),
      cacheRead: 0,
      cacheWrite: 0,
      output: countAt(body, "generation_token_count"),
    },
  };
}

function writeAnswer({ answers, usage }: ChatAnswer, context: AnswerContext): Raw {
  const [answer, ...others] = answers;
  if (others.length > 0) context.lost("further answers");
  if (answer?.logprobs !== undefined) context.lost("log probabilities");
  if (answer?.stopRaw !== undefined) context.lost("a stop reason that is not known");
  if (answer?.stopText !== undefined) context.lost("the stop text that matched");
  if (answer && blocked.has(answer.stop)) context.lost("that a filter or a refusal ended it");
  const parts = answer?.parts ?? [];
  const texts = parts.flatMap((part) =>
    part.kind === "text" || part.kind === "refusal" ? [part.text] : []
  );
  for (const part of parts) {
    const { kind } = part;
    if (part.kind === "text" && part.citations) context.lost("citations");
    if (kind === "thinking" || kind === "redacted") context.lost("reasoning");
    else if (kind !== "text" && kind !== "refusal") context.lost(`parts of the kind ${kind}`);
  }
  const isCut = answer?.stop === "length" || answer?.stop === "context_full";
  return object(
    ["generation", joinTexts(texts.length > 0 ? texts : ['""'])],
    ["prompt_token_count", String(promptOf(usage))],
    ["generation_token_count", String(usage.output)],
    ["stop_reason", isCut ? '"length"' : '"stop"'],
  );
}

/** Reasons that Llama's answers have no word for. */
const blocked: ReadonlySet<string> = new Set(["filter", "guardrail", "refusal"]);

export const llama: ChatDialect = {
  name: "bedrock-llama",
  toolNames: { max: 64 },
  readRequest,
  writeRequest,
  readAnswer,
  writeAnswer,
};
