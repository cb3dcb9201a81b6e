/** Chat completions of the simulated models. */
import { type JsonObject, list, number, string } from "../json.ts";
import { answer } from "../model/answer.ts";
import type { Reply, Stop } from "../model/ask.ts";
import { partId } from "../model/marks.ts";
import type { ReplyFacts } from "../replies.ts";
import { chatAsk } from "./ask.ts";

const finishReasons: Readonly<Record<Stop, string>> = {
  end: "stop",
  stop_sequence: "stop",
  length: "length",
  tool: "tool_calls",
  refusal: "stop",
  filter: "content_filter",
};

/** The body of the answer to a request for a chat completion. */
export function chatCompletion(body: JsonObject, { id, createdAt }: ReplyFacts): JsonObject {
  const reply = answer(chatAsk(body));
  const choices = Math.max(1, number(body.n) ?? 1);
  const completion = reply.thinkingTokens + (reply.outputTokens - reply.thinkingTokens) * choices;
  const isOld = list(body.tools).length === 0 && list(body.functions).length > 0;
  return {
    id: `chatcmpl-${id}`,
    object: "chat.completion",
    created: Math.floor(createdAt.getTime() / 1000),
    model: string(body.model) ?? "unknown",
    choices: Array.from({ length: choices }, (_, index) => ({
      index,
      message: messageOf(reply, id, index, isOld),
      logprobs: body.logprobs === true ? logprobsOf(reply) : null,
      finish_reason: isOld && reply.stop === "tool" ? "function_call" : finishReasons[reply.stop],
    })),
    usage: {
      prompt_tokens: reply.inputTokens,
      completion_tokens: completion,
      total_tokens: reply.inputTokens + completion,
      prompt_tokens_details: {
        cached_tokens: reply.cachedTokens,
        cache_write_tokens: 0,
        audio_tokens: 0,
      },
      completion_tokens_details: {
        reasoning_tokens: reply.thinkingTokens,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
    service_tier: "default",
    system_fingerprint: null,
  };
}

function messageOf(reply: Reply, id: string, index: number, isOld: boolean): JsonObject {
  const { text, calls, refusal = null } = reply;
  const content = calls.length > 0 || refusal !== null
    ? null
    : index === 0
    ? text
    : `${text} [${index + 1}]`;
  const functions = calls.map(({ name, input }) => ({ name, arguments: JSON.stringify(input) }));
  return {
    role: "assistant",
    content,
    refusal,
    annotations: [],
    ...(calls.length === 0 ? {} : isOld ? { function_call: functions[0] ?? null } : {
      tool_calls: functions.map((each, at) => ({
        id: `call_${partId(`${id} ${index}`, at, 24)}`,
        type: "function",
        function: each,
      })),
    }),
  };
}

/** Every four characters as a token of the same likelihood. */
function logprobsOf({ text }: Reply): JsonObject {
  const tokens = text.match(/[^]{1,4}/gu) ?? [];
  const content = tokens.map((token) => ({
    token,
    logprob: -0.25,
    bytes: [...new TextEncoder().encode(token)],
    top_logprobs: [],
  }));
  return { content, refusal: null };
}
