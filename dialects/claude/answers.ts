/** Answers of Anthropic's messages, and of Claude on Bedrock. */
import type { Answer, ChatAnswer, Part, RecordError, Usage } from "../chat.ts";
import type { AnswerContext } from "../dialect.ts";
import { recordError } from "../errors.ts";
import { fitCallId } from "../fit.ts";
import type { Json, Raw } from "../json.ts";
import { ignoredLosses } from "../loss.ts";
import { array, isBlankText, object, quote, textOfBase64 } from "../raw.ts";
import { readStop, stopWords } from "../stops.ts";
import { argumentsObject } from "../tool_values.ts";
import { countAt, someCountAt } from "../usage.ts";
import { readContent } from "./blocks.ts";

/** Reads the body of an answer. */
export function readAnswer(body: Json): ChatAnswer | RecordError {
  const content = body.get("content");
  if (content?.kind !== "array") {
    return recordError("internal", "The provider's answer holds no content.");
  }
  const parts = readContent(content, ignoredLosses);
  const details = body.get("stop_details");
  const stopText = body.get("stop_sequence");
  const answer: Answer = {
    parts,
    ...readStop("claude", body.get("stop_reason")?.text, parts),
    ...(stopText?.kind === "string" ? { stopText: stopText.raw } : {}),
    ...(details
      ? {
        filter: {
          category: textOf(details.get("category")),
          explanation: textOf(details.get("explanation")),
        },
      }
      : {}),
  };
  return {
    kind: "answer",
    id: body.get("id")?.text,
    model: body.get("model")?.text,
    answers: [answer],
    usage: readUsage(body.get("usage")),
  };
}

function textOf(value: Json | undefined): Raw | undefined {
  return value?.kind === "string" ? value.raw : undefined;
}

/** Reads Anthropic's usage, whose input is without the tokens from and to a cache. */
export function readUsage(usage: Json | undefined): Usage {
  return {
    input: countAt(usage, "input_tokens"),
    cacheRead: countAt(usage, "cache_read_input_tokens"),
    cacheWrite: countAt(usage, "cache_creation_input_tokens"),
    output: countAt(usage, "output_tokens"),
    cacheWriteHour: someCountAt(usage?.get("cache_creation"), "ephemeral_1h_input_tokens"),
    thinking: someCountAt(usage?.get("output_tokens_details"), "thinking_tokens"),
  };
}

/** Writes the body of an answer, with all members that the SDK's types require. */
export function writeAnswer(
  { id, model, answers, usage }: ChatAnswer,
  context: AnswerContext,
): Raw {
  const [answer, ...others] = answers;
  if (others.length > 0) context.lost("further answers");
  if (answer?.logprobs !== undefined) context.lost("log probabilities");
  if (answer?.stopRaw !== undefined) context.lost("a stop reason that is not known");
  const parts = answer?.parts ?? [];
  const blocks = parts.flatMap((part, index) => writeBlock(part, index, context));
  return object(
    ["id", quote(id?.startsWith("msg_") ? id : context.madeId("msg_", 0))],
    ["type", '"message"'],
    ["role", '"assistant"'],
    ["model", quote(model ?? context.model)],
    ["content", array(blocks)],
    ["stop_reason", quote(stopWords.claude[answer?.stop ?? "end"])],
    ["stop_sequence", answer?.stopText ?? "null"],
    ["stop_details", writeDetails(answer)],
    ["container", "null"],
    ["diagnostics", "null"],
    ["usage", writeUsage(usage)],
  );
}

function writeDetails(answer: Answer | undefined): Raw {
  if (answer === undefined || stopWords.claude[answer.stop] !== "refusal") return "null";
  const words = answer.parts.find(({ kind }) => kind === "refusal");
  return object(
    ["type", '"refusal"'],
    ["category", answer.filter?.category ?? "null"],
    [
      "explanation",
      answer.filter?.explanation ?? (words?.kind === "refusal" ? words.text : "null"),
    ],
  );
}

function writeBlock(part: Part, index: number, context: AnswerContext): Raw[] {
  switch (part.kind) {
    case "text": {
      if (isBlankText(part.text)) return [];
      const own = part.citations?.owner === "claude" ? part.citations.raw : undefined;
      if (part.citations && own === undefined) context.lost("citations");
      return [object(["type", '"text"'], ["text", part.text], ["citations", own ?? "null"])];
    }
    case "refusal":
      return [object(["type", '"text"'], ["text", part.text], ["citations", "null"])];
    case "call": {
      if (part.signature !== undefined) context.lost("signatures of thoughts");
      const id = part.id === "" ? context.madeId("toolu_", index) : fitCallId(part.id);
      return [object(
        ["type", '"tool_use"'],
        ["id", quote(id)],
        ["name", quote(context.toolName(part.name))],
        ["input", argumentsObject(part)],
        ["caller", '{"type":"direct"}'],
      )];
    }
    case "thinking": {
      const own = part.signature?.owner === "claude" ? part.signature.raw : undefined;
      if (part.signature && own === undefined) context.lost("signatures of thoughts");
      if (own === undefined && isBlankText(part.text)) return [];
      return [object(
        ["type", '"thinking"'],
        ["thinking", part.text],
        ["signature", own ?? '""'],
      )];
    }
    case "redacted": {
      const data = part.owner === "claude" ? part.data : textOfBase64(part.data);
      if (data === undefined) {
        context.lost("reasoning");
        return [];
      }
      return [object(["type", '"redacted_thinking"'], ["data", data])];
    }
    default:
      context.lost(
        part.kind === "media" ? "media" : "parts that only the provider's own API knows",
      );
      return [];
  }
}

function writeUsage(usage: Usage): Raw {
  const { input, output, cacheRead, cacheWrite, cacheWriteHour, thinking } = usage;
  const creation = cacheWriteHour === undefined ? "null" : object(
    ["ephemeral_5m_input_tokens", String(Math.max(0, cacheWrite - cacheWriteHour))],
    ["ephemeral_1h_input_tokens", String(cacheWriteHour)],
  );
  return object(
    ["input_tokens", String(input)],
    ["cache_creation_input_tokens", String(cacheWrite)],
    ["cache_read_input_tokens", String(cacheRead)],
    ["cache_creation", creation],
    ["output_tokens", String(output)],
    [
      "output_tokens_details",
      thinking === undefined ? "null" : object(["thinking_tokens", String(thinking)]),
    ],
    ["server_tool_use", "null"],
    ["service_tier", "null"],
    ["inference_geo", "null"],
    ["speed", "null"],
  );
}
