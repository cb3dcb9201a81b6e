/** Answers of Converse and of Nova's InvokeModel. */
import type { Answer, ChatAnswer, Part, RecordError, Usage } from "../chat.ts";
import type { AnswerContext } from "../dialect.ts";
import { recordError } from "../errors.ts";
import { fitCallId } from "../fit.ts";
import type { Json, Raw } from "../json.ts";
import { ignoredLosses } from "../loss.ts";
import { array, base64OfText, isBlankText, object, quote, someObject } from "../raw.ts";
import { readStop, stopWords } from "../stops.ts";
import { argumentsObject } from "../tool_values.ts";
import { countAt, totalOf } from "../usage.ts";
import { readBlocks } from "./blocks.ts";
import type { ConverseForm } from "./write_blocks.ts";

/** Reads the body of an answer. */
export function readAnswer(body: Json): ChatAnswer | RecordError {
  const message = body.get("output")?.get("message");
  if (!message) return recordError("internal", "The provider's answer holds no message.");
  const parts = readBlocks(message.get("content")?.list ?? [], ignoredLosses);
  const fields = body.get("additionalModelResponseFields");
  const stopText = fields?.get("stop_sequence");
  const answer: Answer = {
    parts,
    ...readStop("converse", body.get("stopReason")?.text, parts),
    ...(stopText?.kind === "string" ? { stopText: stopText.raw } : {}),
  };
  return { kind: "answer", answers: [answer], usage: readUsage(body.get("usage")) };
}

function readUsage(usage: Json | undefined): Usage {
  const hour = usage?.get("cacheDetails")?.list.find((one) => one.get("ttl")?.text === "1h");
  return {
    input: countAt(usage, "inputTokens"),
    cacheRead: countAt(usage, "cacheReadInputTokens"),
    cacheWrite: countAt(usage, "cacheWriteInputTokens"),
    cacheWriteHour: hour && countAt(hour, "inputTokens"),
    output: countAt(usage, "outputTokens"),
  };
}

/** Writes the body of an answer; all members that botocore requires are there. */
export function writeAnswer(
  { answers, usage }: ChatAnswer,
  context: AnswerContext,
  form: ConverseForm,
): Raw {
  const [answer, ...others] = answers;
  if (others.length > 0) context.lost("further answers");
  if (answer?.logprobs !== undefined) context.lost("log probabilities");
  if (answer?.stopRaw !== undefined) context.lost("a stop reason that is not known");
  if (answer?.filter?.explanation) context.lost("the reason of a refusal");
  const parts = answer?.parts ?? [];
  const blocks = parts.flatMap((part, index) => writeBlock(part, index, context, form));
  const message = object(["role", '"assistant"'], ["content", array(blocks)]);
  return object(
    ["output", object(["message", message])],
    ["stopReason", quote(stopWords.converse[answer?.stop ?? "end"])],
    ["usage", writeUsage(usage, form)],
    ["metrics", form === "converse" ? '{"latencyMs":0}' : undefined],
    [
      "additionalModelResponseFields",
      form === "converse" ? extraFields(parts, answer, context) : undefined,
    ],
  );
}

function extraFields(
  parts: readonly Part[],
  answer: Answer | undefined,
  context: AnswerContext,
): Raw | undefined {
  const signatures = parts.flatMap((part) => {
    if (part.kind === "call" && part.signature !== undefined) return [part.signature];
    const foreign = part.kind === "thinking" && part.signature?.owner === "gemini";
    return foreign && part.signature ? [part.signature.raw] : [];
  });
  const stopText = answer?.stopText;
  if (stopText !== undefined && !asksForStopText(context)) {
    context.lost("the stop text that matched");
  }
  return someObject(
    ["stop_sequence", stopText !== undefined && asksForStopText(context) ? stopText : undefined],
    [
      "gemini",
      signatures.length > 0 ? object(["thoughtSignature", array(signatures)]) : undefined,
    ],
  );
}

function asksForStopText(context: AnswerContext): boolean {
  return context.request().wantsStopText === true;
}

function writeBlock(
  part: Part,
  index: number,
  context: AnswerContext,
  form: ConverseForm,
): Raw[] {
  switch (part.kind) {
    case "text":
      if (part.citations) context.lost("citations");
      return isBlankText(part.text) ? [] : [object(["text", part.text])];
    case "refusal":
      return [object(["text", part.text])];
    case "call": {
      const id = part.id === "" ? context.madeId("tooluse_", index) : fitCallId(part.id);
      const name = quote(context.toolName(part.name));
      const input = argumentsObject(part);
      const call = object(["toolUseId", quote(id)], ["name", name], ["input", input]);
      return [object(["toolUse", call])];
    }
    case "thinking": {
      if (form === "nova" || isBlankText(part.text) && !part.signature) {
        context.lost("reasoning");
        return [];
      }
      const { signature } = part;
      if (part.text === '""' && signature?.owner !== "claude") return [];
      const own = signature?.owner === "claude" ? signature.raw : undefined;
      const text = object(["text", part.text], ["signature", own]);
      return [object(["reasoningContent", object(["reasoningText", text])])];
    }
    case "redacted": {
      if (form === "nova") break;
      const data = part.owner === "bedrock" ? part.data : base64OfText(part.data);
      return [object(["reasoningContent", object(["redactedContent", data])])];
    }
    default:
  }
  context.lost(part.kind === "media" ? "media" : "parts that only the provider's own API knows");
  return [];
}

function cacheDetails(all: number, hour: number): Raw {
  const detail = (ttl: string, tokens: number) =>
    tokens > 0 ? [object(["ttl", quote(ttl)], ["inputTokens", String(tokens)])] : [];
  return array([...detail("5m", all - hour), ...detail("1h", hour)]);
}

function writeUsage(usage: Usage, form: ConverseForm): Raw {
  const { input, output, cacheRead, cacheWrite, cacheWriteHour } = usage;
  return object(
    ["inputTokens", String(input)],
    ["outputTokens", String(output)],
    ["totalTokens", String(totalOf(usage))],
    ["cacheReadInputTokens", cacheRead > 0 ? String(cacheRead) : undefined],
    ["cacheWriteInputTokens", cacheWrite > 0 ? String(cacheWrite) : undefined],
    [
      "cacheDetails",
      form === "converse" && cacheWriteHour ? cacheDetails(cacheWrite, cacheWriteHour) : undefined,
    ],
  );
}
