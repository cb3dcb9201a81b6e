/** Anthropic's Message as the simulated Claude writes it, at Anthropic and on Bedrock. */
import type { Json } from "../context.ts";
import { isObject, type JsonObject, list, number, object, string } from "../json.ts";
import { answer } from "../model/answer.ts";
import type { Ask, Choice, Reply, Stop } from "../model/ask.ts";
import { partId, signature } from "../model/marks.ts";
import type { Media } from "../model/media.ts";
import { contentText, conversation, type ReplyFacts } from "../replies.ts";

/**
 * Anthropic's Message for Messages parameters, also as the body of Claude on Bedrock.
 *
 * @param idPrefix `msg_` at Anthropic, `msg_bdrk_` on Bedrock.
 */
export function anthropicReply(
  params: JsonObject,
  modelName: string,
  facts: ReplyFacts,
  idPrefix = "msg_",
): JsonObject {
  const reply = answer(askOf(params));
  const hidden = object(params.thinking).display === "omitted";
  return {
    id: `${idPrefix}${facts.id}`,
    type: "message",
    role: "assistant",
    model: modelName,
    content: contentOf(reply, facts.id, hidden),
    stop_reason: stopReasons[reply.stop],
    stop_sequence: reply.stopText ?? null,
    ...(reply.stop === "refusal" || reply.stop === "filter"
      ? { stop_details: stopDetails(reply) }
      : {}),
    usage: usageOf(reply),
  };
}

const stopReasons: Readonly<Record<Stop, string>> = {
  end: "end_turn",
  stop_sequence: "stop_sequence",
  length: "max_tokens",
  tool: "tool_use",
  refusal: "refusal",
  filter: "refusal",
};

/** Claude's classifiers speak for it where it declines: there is no text of its own. */
const stopDetails = ({ refusal }: Reply): JsonObject => ({
  type: "refusal",
  category: "cyber",
  explanation: refusal ?? "A classifier stopped the answer.",
});

function contentOf(reply: Reply, id: string, hidden: boolean): JsonObject[] {
  const blocks: JsonObject[] = [];
  const { thinking, text } = reply;
  if (thinking !== undefined) {
    blocks.push(
      reply.secret
        ? { type: "redacted_thinking", data: signature(`${thinking} in secret`) }
        : { type: "thinking", thinking: hidden ? "" : thinking, signature: signature(thinking) },
    );
  }
  if (text !== "") blocks.push({ type: "text", text });
  for (const [index, { name, input }] of reply.calls.entries()) {
    blocks.push({ type: "tool_use", id: `toolu_${partId(id, index, 24)}`, name, input });
  }
  return blocks;
}

function usageOf(reply: Reply): JsonObject {
  return {
    input_tokens: reply.inputTokens - reply.cachedTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: reply.cachedTokens,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens: reply.outputTokens,
    ...(reply.thinking === undefined
      ? {}
      : { output_tokens_details: { thinking_tokens: reply.thinkingTokens } }),
    service_tier: "batch",
  };
}

function askOf(params: JsonObject): Ask {
  const { prompt, everything } = conversation(params.messages);
  const choice = object(params.tool_choice);
  const thinking = string(object(params.thinking).type);
  const format = object(params.output_config).format;
  const maxTokens = number(params.max_tokens);
  return {
    prompt,
    everything: contentText(params.system) + everything,
    tools: list(params.tools).map(object).filter(({ input_schema }) => isObject(input_schema))
      .map(({ name, input_schema }) => ({
        name: string(name) ?? "",
        schema: object(input_schema),
      })),
    choice: choiceOf(choice),
    single: choice.disable_parallel_tool_use === true,
    continues: list(object(list(params.messages).at(-1)).content)
      .some((block) => object(block).type === "tool_result"),
    ...(isObject(format) ? { format: { schema: object(format.schema) } } : {}),
    stops: list(params.stop_sequences).flatMap((stop) => typeof stop === "string" ? [stop] : []),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    media: list(params.messages).flatMap((message) => mediaOf(object(message).content)),
    thinks: thinking === "enabled" || thinking === "adaptive",
  };
}

function choiceOf({ type, name }: JsonObject): Choice {
  if (type === "tool") return { name: string(name) ?? "" };
  return type === "any" || type === "none" ? type : "auto";
}

function mediaOf(content: Json | undefined): Media[] {
  return list(content).map(object).flatMap(({ type, source, content: inner }): Media[] => {
    if (type === "tool_result") return mediaOf(inner);
    if (type !== "image" && type !== "document") return [];
    const { type: form, media_type, data, url } = object(source);
    if (form === "base64") {
      return [{ kind: type, type: string(media_type) ?? "", data: string(data) ?? "" }];
    }
    if (form === "text") {
      const bytes = new TextEncoder().encode(string(data) ?? "");
      return [{ kind: type, type: "text/plain", data: bytes.toBase64() }];
    }
    return [{ kind: type, url: string(url) ?? string(object(source).file_id) ?? "another place" }];
  });
}
