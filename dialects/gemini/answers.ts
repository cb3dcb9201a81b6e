/** Answers of Gemini's generateContent. */
import type { Answer, ChatAnswer, Part, RecordError, Usage } from "../chat.ts";
import type { AnswerContext } from "../dialect.ts";
import { recordError } from "../errors.ts";
import type { Json, Raw } from "../json.ts";
import { ignoredLosses } from "../loss.ts";
import { array, isBlankText, object, quote, someArray } from "../raw.ts";
import { readStop, stopWords } from "../stops.ts";
import { argumentsObject } from "../tool_values.ts";
import { countAt, promptOf } from "../usage.ts";
import { member, snakeCase } from "./members.ts";
import { openaiLogprobs } from "./logprobs.ts";
import { CallIds, readParts } from "./parts.ts";

/** Reads the body of an answer. A prompt that was blocked is an answer without parts. */
export function readAnswer(body: Json): ChatAnswer | RecordError {
  const candidates = body.get("candidates")?.list ?? [];
  const feedback = member(body, "promptFeedback");
  const blocked = member(feedback, "blockReason");
  if (candidates.length === 0 && !blocked) {
    return recordError("internal", "The provider's answer holds no candidates.");
  }
  const reason = blocked?.kind === "string" ? blocked.raw : undefined;
  const explanation = member(feedback, "blockReasonMessage");
  const filter = {
    category: reason,
    explanation: explanation?.kind === "string" ? explanation.raw : undefined,
  };
  const answers: readonly Answer[] = candidates.length > 0
    ? candidates.map(readCandidate)
    : [{ parts: [], stop: "filter", filter }];
  return {
    kind: "answer",
    id: member(body, "responseId")?.text,
    model: member(body, "modelVersion")?.text,
    answers,
    usage: readUsage(member(body, "usageMetadata")),
  };
}

function readCandidate(candidate: Json): Answer {
  // Ids that are made for pairing calls and results mean nothing outside of a request.
  const parts = readParts(candidate.get("content"), new CallIds(), ignoredLosses).map((part) =>
    part.kind === "call" && !hasId(candidate, part.at) ? { ...part, id: "" } : part
  );
  return {
    parts: withCitations(parts, candidate),
    ...readStop("gemini", member(candidate, "finishReason")?.text, parts),
    logprobs: openaiLogprobs(member(candidate, "logprobsResult")),
  };
}

/** Sources of an answer stand beside its parts; they are noted on its last text. */
function withCitations(parts: readonly Part[], candidate: Json): readonly Part[] {
  const sources = [
    member(member(candidate, "citationMetadata"), "citationSources"),
    member(member(candidate, "citationMetadata"), "citations"),
    member(member(candidate, "groundingMetadata"), "groundingChunks"),
  ].find((list) => (list?.list.length ?? 0) > 0);
  const last = parts.findLastIndex(({ kind }) => kind === "text");
  if (!sources) return parts;
  const citations = { owner: "gemini" as const, raw: sources.raw };
  return parts.map((part, index) =>
    index === last && part.kind === "text" ? { ...part, citations } : part
  );
}

function hasId(candidate: Json, at: number): boolean {
  const part = candidate.get("content")?.get("parts")?.list.find((one) => one.at === at);
  return member(part, "functionCall")?.get("id") !== undefined;
}

/** Reads Gemini's usage, whose prompt holds the tokens from a cache. */
export function readUsage(usage: Json | undefined): Usage {
  const count = (name: string) => countAt(usage, name) || countAt(usage, snakeCase(name));
  const prompt = count("promptTokenCount");
  const cached = count("cachedContentTokenCount");
  const tools = count("toolUsePromptTokenCount");
  const candidates = count("candidatesTokenCount");
  const thoughts = count("thoughtsTokenCount");
  // Where the sum without thoughts is the total, the candidates hold them already (litellm 1.110).
  const holdsThoughts = thoughts > 0 &&
    prompt + tools + candidates === count("totalTokenCount");
  return {
    input: Math.max(0, prompt - cached) + tools,
    cacheRead: cached,
    cacheWrite: 0,
    output: candidates + (holdsThoughts ? 0 : thoughts),
    ...(thoughts > 0 ? { thinking: thoughts } : {}),
  };
}

/** Writes the body of an answer. */
export function writeAnswer(
  { id, model, answers, usage }: ChatAnswer,
  context: AnswerContext,
): Raw {
  const [first] = answers;
  const isBlocked = answers.length === 1 && first !== undefined && first.parts.length === 0 &&
    stopWords.gemini[first.stop] === "SAFETY";
  return object(
    [
      "candidates",
      isBlocked
        ? undefined
        : array(answers.map((answer, index) => writeCandidate(answer, index, context))),
    ],
    ["promptFeedback", isBlocked ? writeFeedback(first) : undefined],
    ["usageMetadata", writeUsage(usage)],
    ["modelVersion", quote(model ?? context.model)],
    ["responseId", quote(id ?? context.madeId("", 0))],
  );
}

function writeFeedback({ filter }: Answer): Raw {
  return object(["blockReason", '"SAFETY"'], ["blockReasonMessage", filter?.explanation]);
}

function writeCandidate(answer: Answer, index: number, context: AnswerContext): Raw {
  if (answer.logprobs !== undefined) context.lost("log probabilities");
  if (answer.stopText !== undefined) context.lost("the stop text that matched");
  if (answer.stopRaw !== undefined) context.lost("a stop reason that is not known");
  const parts = answer.parts.flatMap((part) => writePart(part, context));
  return object(
    ["content", object(["parts", someArray(parts)], ["role", '"model"'])],
    ["finishReason", quote(stopWords.gemini[answer.stop])],
    ["index", String(index)],
  );
}

function writePart(part: Part, context: AnswerContext): Raw[] {
  switch (part.kind) {
    case "text":
      if (part.citations) context.lost("citations");
      return [object(["text", part.text])];
    case "refusal":
      return [object(["text", part.text])];
    case "call": {
      const call = object(
        ["id", part.id === "" ? undefined : quote(part.id)],
        ["name", quote(context.toolName(part.name))],
        ["args", argumentsObject(part)],
      );
      return [object(["functionCall", call], ["thoughtSignature", part.signature])];
    }
    case "thinking": {
      const own = part.signature?.owner === "gemini" ? part.signature.raw : undefined;
      if (part.signature && own === undefined) context.lost("signatures of thoughts");
      if (isBlankText(part.text) && own === undefined) return [];
      return [object(["text", part.text], ["thought", "true"], ["thoughtSignature", own])];
    }
    case "redacted":
      context.lost("reasoning");
      return [];
    default:
      context.lost(
        part.kind === "media" ? "media" : "parts that only the provider's own API knows",
      );
      return [];
  }
}

function writeUsage(usage: Usage): Raw {
  const { cacheRead, output, thinking = 0 } = usage;
  const count = (value: number) => value > 0 ? String(value) : undefined;
  return object(
    ["promptTokenCount", String(promptOf(usage))],
    ["cachedContentTokenCount", count(cacheRead)],
    ["candidatesTokenCount", String(Math.max(0, output - thinking))],
    ["thoughtsTokenCount", count(thinking)],
    ["totalTokenCount", String(promptOf(usage) + output)],
  );
}
