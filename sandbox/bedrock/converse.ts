/** Converse's response as a Bedrock batch writes it. */
import type { Json } from "../context.ts";
import { isObject, type JsonObject, list, number, object, parseJson, string } from "../json.ts";
import { answer } from "../model/answer.ts";
import type { Ask, Choice, Reply, Stop } from "../model/ask.ts";
import { partId, signature } from "../model/marks.ts";
import type { Media, MediaKind } from "../model/media.ts";
import { contentText, conversation } from "../replies.ts";

/**
 * Converse's response for a Converse request.
 *
 * @param id What the ids of calls are made from.
 */
export function converseReply(request: JsonObject, id = "0"): JsonObject {
  const reply = answer(askOf(request));
  const asksStopText = list(request.additionalModelResponseFieldPaths).includes("/stop_sequence");
  return {
    output: { message: { role: "assistant", content: contentOf(reply, id) } },
    stopReason: stopReasons[reply.stop],
    usage: usageOf(reply),
    metrics: { latencyMs: 0 },
    ...(asksStopText
      ? { additionalModelResponseFields: { stop_sequence: reply.stopText ?? null } }
      : {}),
  };
}

const stopReasons: Readonly<Record<Stop, string>> = {
  end: "end_turn",
  stop_sequence: "stop_sequence",
  length: "max_tokens",
  tool: "tool_use",
  refusal: "content_filtered",
  filter: "content_filtered",
};

function contentOf(reply: Reply, id: string): JsonObject[] {
  const { thinking, secret, refusal } = reply;
  const blocks: JsonObject[] = [];
  if (thinking !== undefined) {
    blocks.push({
      reasoningContent: secret
        ? { redactedContent: btoa(signature(`${thinking} in secret`)) }
        : { reasoningText: { text: thinking, signature: signature(thinking) } },
    });
  }
  const text = refusal ?? reply.text;
  if (text !== "") blocks.push({ text });
  for (const [index, { name, input }] of reply.calls.entries()) {
    blocks.push({ toolUse: { toolUseId: `tooluse_${partId(id, index, 22)}`, name, input } });
  }
  return blocks;
}

function usageOf({ inputTokens, cachedTokens, outputTokens }: Reply): JsonObject {
  return {
    inputTokens: inputTokens - cachedTokens,
    outputTokens,
    // What is cached is not in inputTokens, and is in totalTokens.
    totalTokens: inputTokens + outputTokens,
    ...(cachedTokens > 0 ? { cacheReadInputTokens: cachedTokens } : {}),
  };
}

function askOf(request: JsonObject): Ask {
  const { prompt, everything } = conversation(request.messages);
  const { tools, toolChoice } = object(request.toolConfig);
  const { maxTokens, stopSequences } = object(request.inferenceConfig);
  const more = object(request.additionalModelRequestFields);
  const limit = number(maxTokens);
  const format = object(object(object(request.outputConfig).textFormat).structure).jsonSchema;
  const schema = parseJson(string(object(format).schema) ?? "");
  return {
    prompt,
    everything: contentText(request.system) + everything,
    tools: list(tools).map((tool) => object(object(tool).toolSpec))
      .map(({ name, inputSchema }) => ({
        name: string(name) ?? "",
        schema: object(object(inputSchema).json),
      }))
      .filter(({ name }) => name !== ""),
    choice: choiceOf(object(toolChoice)),
    single: object(more.tool_choice).disable_parallel_tool_use === true,
    continues: list(object(list(request.messages).at(-1)).content)
      .some((block) => object(block).toolResult !== undefined),
    ...(isObject(format) ? { format: isObject(schema) ? { schema } : {} } : {}),
    stops: list(stopSequences).flatMap((stop) => typeof stop === "string" ? [stop] : []),
    ...(limit === undefined ? {} : { maxTokens: limit }),
    media: list(request.messages).flatMap((message) => mediaOf(object(message).content)),
    thinks: asksToThink(more),
  };
}

/** Claude's `thinking`, Nova's `reasoningConfig`, `reasoning_effort` of gpt-oss and DeepSeek. */
function asksToThink({ thinking, reasoningConfig, reasoning_effort: effort }: JsonObject): boolean {
  const types = [object(thinking).type, object(reasoningConfig).type];
  if (types.some((type) => type === "enabled" || type === "adaptive")) return true;
  return typeof effort === "string" && effort !== "none";
}

function choiceOf({ any, tool }: JsonObject): Choice {
  if (isObject(tool)) return { name: string(tool.name) ?? "" };
  return any === undefined ? "auto" : "any";
}

const mediaTypes: Readonly<Record<MediaKind, (format: string) => string>> = {
  image: (format) => `image/${format}`,
  document: (format) => format === "pdf" ? "application/pdf" : format,
  audio: (format) => `audio/${format}`,
  video: (format) => `video/${format}`,
};

function mediaOf(content: Json | undefined): Media[] {
  return list(content).map(object).flatMap((block): Media[] => {
    const inner = isObject(block.toolResult) ? mediaOf(block.toolResult.content) : [];
    const kinds = ["image", "document", "audio", "video"] as const;
    const own = kinds.filter((kind) => isObject(block[kind])).map((kind): Media => {
      const { format, source } = object(block[kind]);
      const { bytes, text, s3Location } = object(source);
      const type = mediaTypes[kind](string(format) ?? "txt");
      if (typeof bytes === "string") return { kind, type, data: bytes };
      if (typeof text === "string") {
        return { kind, type, data: new TextEncoder().encode(text).toBase64() };
      }
      return { kind, url: string(object(s3Location).uri) ?? "another place" };
    });
    return [...own, ...inner];
  });
}
