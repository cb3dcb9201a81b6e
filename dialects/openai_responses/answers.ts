/** Answers of OpenAI's Responses. */
import type { Answer, ChatAnswer, Part, RecordError, StopReason, Usage } from "../chat.ts";
import type { AnswerContext } from "../dialect.ts";
import { recordError } from "../errors.ts";
import type { Json, Raw } from "../json.ts";
import { ignoredLosses } from "../loss.ts";
import { callParts, readUsage, usageParts } from "../openai_chat/answers.ts";
import { array, object, quote } from "../raw.ts";
import type { Member } from "../raw.ts";
import { readItem } from "./items.ts";

/** Reads the body of an answer. One whose status is failed is an error of the record. */
export function readAnswer(body: Json): ChatAnswer | RecordError {
  const status = body.get("status")?.text;
  if (status === "failed" || status === "cancelled") {
    const error = body.get("error");
    const code = error?.get("code")?.text;
    const message = error?.get("message")?.text ?? `The provider's answer is ${status}.`;
    return recordError(failures.get(code ?? "") ?? "internal", message, code);
  }
  const output = body.get("output");
  if (output?.kind !== "array") {
    return recordError("internal", "The provider's answer holds no output.");
  }
  const parts = output.list.flatMap((item) => readItem(item, ignoredLosses).parts);
  const answer: Answer = { parts, ...stopOf(body, parts) };
  return {
    kind: "answer",
    id: body.get("id")?.text,
    model: body.get("model")?.text,
    created: body.get("created_at")?.number,
    answers: [answer],
    usage: readUsage(body.get("usage"), "input_tokens", "output_tokens"),
  };
}

const failures: ReadonlyMap<string, RecordError["error"]> = new Map([
  ["rate_limit_exceeded", "rate"],
  ["invalid_prompt", "bad_request"],
  ["server_error", "internal"],
]);

function stopOf(
  body: Json,
  parts: readonly Part[],
): { readonly stop: StopReason; readonly stopRaw?: string } {
  const reason = body.get("incomplete_details")?.get("reason")?.text;
  if (reason === "content_filter") return { stop: "filter" };
  if (reason === "max_output_tokens" || reason === "max_messages") return { stop: "length" };
  if (reason !== undefined) return { stop: "other", stopRaw: reason };
  if (parts.some(({ kind }) => kind === "refusal")) return { stop: "refusal" };
  return { stop: parts.some(({ kind }) => kind === "call") ? "tool" : "end" };
}

const incomplete: Partial<Record<StopReason, string>> = {
  length: "max_output_tokens",
  context_full: "max_output_tokens",
  filter: "content_filter",
  guardrail: "content_filter",
};

/** Writes the body of an answer, with all members that the SDK's types require. */
export function writeAnswer(
  { id, model, created, answers, usage }: ChatAnswer,
  context: AnswerContext,
): Raw {
  const [answer, ...others] = answers;
  if (others.length > 0) context.lost("further answers");
  if (answer?.logprobs !== undefined) context.lost("log probabilities");
  if (answer?.stopRaw !== undefined) context.lost("a stop reason that is not known");
  if (answer?.stopText !== undefined) context.lost("the stop text that matched");
  const reason = answer && incomplete[answer.stop];
  const isFailed = answer?.stop === "malformed";
  return object(
    ["id", quote(id?.startsWith("resp_") ? id : context.madeId("resp_", 0))],
    ["object", '"response"'],
    ["created_at", String(created ?? context.created)],
    ["status", isFailed ? '"failed"' : reason === undefined ? '"completed"' : '"incomplete"'],
    ["background", "false"],
    ["error", isFailed ? malformed : "null"],
    [
      "incomplete_details",
      reason === undefined ? "null" : object(["reason", quote(reason)]),
    ],
    ["instructions", "null"],
    ["metadata", "{}"],
    ["model", quote(model ?? context.model)],
    ["output", array(writeOutput(wordsOf(answer), reason !== undefined, context))],
    ["parallel_tool_calls", "true"],
    ["temperature", "null"],
    ["tool_choice", '"auto"'],
    ["tools", "[]"],
    ["top_p", "null"],
    ["usage", writeUsage(usage)],
  );
}

const malformed = object(
  ["code", '"server_error"'],
  ["message", '"The model wrote a call or an answer that is malformed."'],
);

/** The parts of an answer; of one that a filter stopped, its explanation is a refusal. */
function wordsOf(answer: Answer | undefined): readonly Part[] {
  const explanation = answer?.filter?.explanation;
  if (!answer || explanation === undefined) return answer?.parts ?? [];
  return [...answer.parts, { kind: "refusal", text: explanation, at: 0 }];
}

function writeUsage(usage: Usage): Raw {
  const { prompt, promptDetails, completion, completionDetails, total } = usageParts(usage);
  return object(
    ["input_tokens", prompt],
    ["input_tokens_details", promptDetails],
    ["output_tokens", completion],
    ["output_tokens_details", completionDetails],
    ["total_tokens", total],
  );
}

function writeCall(
  part: Extract<Part, { kind: "call" }>,
  index: number,
  context: AnswerContext,
): Raw {
  const { id, members } = callParts(part, index, context);
  return object(
    ["id", quote(context.madeId("fc_", index))],
    ["type", '"function_call"'],
    ["status", '"completed"'],
    ["call_id", id],
    ...members,
  );
}

/** Items: words that follow each other are one message. */
function writeOutput(
  parts: readonly Part[],
  isIncomplete: boolean,
  context: AnswerContext,
): Raw[] {
  const items: Raw[] = [];
  let words: Raw[] = [];
  const status: Member = ["status", isIncomplete ? '"incomplete"' : '"completed"'];
  const close = () => {
    if (words.length === 0) return;
    items.push(object(
      ["id", quote(context.madeId("msg_", items.length))],
      ["type", '"message"'],
      status,
      ["role", '"assistant"'],
      ["content", array(words)],
    ));
    words = [];
  };
  for (const [index, part] of parts.entries()) {
    switch (part.kind) {
      case "text":
        if (part.citations) context.lost("citations");
        words.push(object(
          ["type", '"output_text"'],
          ["text", part.text],
          ["annotations", "[]"],
          ["logprobs", "[]"],
        ));
        break;
      case "refusal":
        words.push(object(["type", '"refusal"'], ["refusal", part.text]));
        break;
      case "call":
        close();
        items.push(writeCall(part, index, context));
        break;
      case "thinking":
        close();
        items.push(...writeThinking(part, index, context));
        break;
      case "redacted":
        context.lost("reasoning");
        break;
      default:
        context.lost(
          part.kind === "media" ? "media" : "parts that only the provider's own API knows",
        );
    }
  }
  close();
  return items;
}

function writeThinking(
  { text, signature }: Extract<Part, { kind: "thinking" }>,
  index: number,
  context: AnswerContext,
): Raw[] {
  const own = signature?.owner === "openai" ? signature.raw : undefined;
  if (signature && own === undefined) context.lost("signatures of thoughts");
  if (text === '""' && own === undefined) return [];
  const summary = text === '""'
    ? "[]"
    : array([object(["type", '"summary_text"'], ["text", text])]);
  return [object(
    ["id", quote(context.madeId("rs_", index))],
    ["type", '"reasoning"'],
    ["summary", summary],
    ["encrypted_content", own],
  )];
}
