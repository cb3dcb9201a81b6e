/** Gemini's `GenerateContentResponse` as the simulated models write it. */
import type { Json } from "../context.ts";
import { isObject, type JsonObject, list, number, object, string } from "../json.ts";
import { answer } from "../model/answer.ts";
import type { Ask, Choice, Reply, Stop, Tool } from "../model/ask.ts";
import { signature } from "../model/marks.ts";
import type { Media, MediaKind } from "../model/media.ts";
import { contentText, conversation, type ReplyFacts } from "../replies.ts";
import { field } from "./fields.ts";

/** Gemini's answer to a `GenerateContentRequest` whose outer names are in camel case. */
export function geminiReply(request: JsonObject, modelName: string, facts: ReplyFacts): JsonObject {
  const config = object(request.generationConfig);
  const thinking = object(config.thinkingConfig);
  const reply = answer(askOf(request));
  const shown = { thoughts: field(thinking, "includeThoughts") === true };
  const candidates = Math.max(1, number(config.candidateCount) ?? 1);
  return {
    ...(reply.stop === "refusal" ? { promptFeedback: { blockReason: "SAFETY" } } : {
      candidates: Array.from({ length: candidates }, (_, index) => ({
        ...candidate(reply, shown.thoughts, index),
        ...(candidates > 1 ? { index } : {}),
      })),
    }),
    usageMetadata: usageOf(reply, candidates),
    modelVersion: modelName.replace(/^models\//, ""),
    responseId: facts.id,
  };
}

const finishReasons: Readonly<Record<Exclude<Stop, "refusal">, string>> = {
  end: "STOP",
  stop_sequence: "STOP",
  length: "MAX_TOKENS",
  tool: "STOP",
  filter: "SAFETY",
};

function candidate(reply: Reply, showsThoughts: boolean, index: number): JsonObject {
  const parts = partsOf(reply, showsThoughts, index);
  return {
    // A candidate that was cut while it thought has no parts.
    content: { ...(parts.length > 0 ? { parts } : {}), role: "model" },
    finishReason: reply.stop === "refusal" ? "SAFETY" : finishReasons[reply.stop],
  };
}

function partsOf(
  { thinking, text, calls }: Reply,
  showsThoughts: boolean,
  index: number,
): JsonObject[] {
  const parts: JsonObject[] = [];
  const seal = thinking === undefined ? {} : { thoughtSignature: signature(thinking) };
  if (thinking !== undefined && showsThoughts) parts.push({ text: thinking, thought: true });
  if (text !== "") parts.push({ text: index === 0 ? text : `${text} [${index + 1}]`, ...seal });
  for (const [at, { name, input }] of calls.entries()) {
    // Only the first of parallel calls is sealed.
    parts.push({ functionCall: { name, args: input }, ...(at === 0 ? seal : {}) });
  }
  return parts;
}

function usageOf(reply: Reply, candidates: number): JsonObject {
  const { inputTokens, cachedTokens, thinkingTokens, outputTokens, stop } = reply;
  const written = stop === "refusal" ? 0 : (outputTokens - thinkingTokens) * candidates;
  const thought = stop === "refusal" ? 0 : thinkingTokens;
  return {
    promptTokenCount: inputTokens,
    ...(cachedTokens > 0 ? { cachedContentTokenCount: cachedTokens } : {}),
    ...(stop === "refusal" ? {} : { candidatesTokenCount: written }),
    totalTokenCount: inputTokens + written + thought,
    promptTokensDetails: [{ modality: "TEXT", tokenCount: inputTokens }],
    ...(thought > 0 ? { thoughtsTokenCount: thought } : {}),
  };
}

function askOf(request: JsonObject): Ask {
  const { prompt, everything } = conversation(request.contents);
  const config = object(request.generationConfig);
  const last = object(list(request.contents).at(-1));
  const limit = number(config.maxOutputTokens);
  const schema = config.responseSchema ?? config.responseJsonSchema;
  return {
    prompt,
    everything: contentText(object(request.systemInstruction).parts) + everything,
    tools: toolsOf(request.tools),
    choice: choiceOf(object(request.toolConfig)),
    continues: list(last.parts)
      .some((part) => field(object(part), "functionResponse") !== undefined),
    ...(config.responseMimeType === "application/json"
      ? { format: isObject(schema) ? { schema } : {} }
      : {}),
    stops: list(config.stopSequences).flatMap((stop) => typeof stop === "string" ? [stop] : []),
    ...(limit === undefined ? {} : { maxTokens: limit }),
    media: list(request.contents).flatMap((content) => mediaOf(object(content).parts)),
    thinks: asksToThink(object(config.thinkingConfig)),
  };
}

function asksToThink(thinking: JsonObject): boolean {
  const budget = number(field(thinking, "thinkingBudget"));
  if (budget !== undefined) return budget !== 0;
  return field(thinking, "thinkingLevel") !== undefined ||
    field(thinking, "includeThoughts") === true;
}

/** Every function that is declared, in all tools. */
export function toolsOf(tools: Json | undefined): Tool[] {
  return list(tools).flatMap((tool) => list(field(object(tool), "functionDeclarations")))
    .map(object).map((declaration) => {
      const schema = declaration.parameters ?? field(declaration, "parametersJsonSchema");
      const name = string(declaration.name) ?? "";
      return isObject(schema) ? { name, schema } : { name };
    });
}

function choiceOf(toolConfig: JsonObject): Choice {
  const calling = object(field(toolConfig, "functionCallingConfig"));
  const [name] = list(field(calling, "allowedFunctionNames"));
  if (calling.mode === "NONE") return "none";
  if (calling.mode !== "ANY") return "auto";
  return typeof name === "string" ? { name } : "any";
}

const kindOf = (type: string): MediaKind => {
  const kind = type.slice(0, type.indexOf("/"));
  return kind === "image" || kind === "audio" || kind === "video" ? kind : "document";
};

function mediaOf(parts: Json | undefined): Media[] {
  return list(parts).map(object).flatMap((part): Media[] => {
    const inline = field(part, "inlineData");
    const file = field(part, "fileData");
    const type = string(field(object(inline ?? file), "mimeType")) ?? "";
    if (isObject(inline)) return [{ kind: kindOf(type), type, data: string(inline.data) ?? "" }];
    if (!isObject(file)) return [];
    return [{ kind: kindOf(type), url: string(field(file, "fileUri")) ?? "another place" }];
  });
}
