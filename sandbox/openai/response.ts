/** Responses of the simulated models. */
import { type JsonObject, list, number, object, string } from "../json.ts";
import { answer } from "../model/answer.ts";
import type { Reply } from "../model/ask.ts";
import { partId, signature } from "../model/marks.ts";
import type { ReplyFacts } from "../replies.ts";
import { responsesAsk } from "./ask.ts";

/** The body of the answer to a request for a response. */
export function responseBody(body: JsonObject, { id, createdAt }: ReplyFacts): JsonObject {
  const reply = answer(responsesAsk(body));
  const incomplete = { length: "max_output_tokens", filter: "content_filter" } as const;
  const reason = reply.stop === "length" || reply.stop === "filter"
    ? incomplete[reply.stop]
    : undefined;
  const status = reason === undefined ? "completed" : "incomplete";
  return {
    id: `resp_${id}`,
    object: "response",
    created_at: Math.floor(createdAt.getTime() / 1000),
    status,
    error: null,
    incomplete_details: reason === undefined ? null : { reason },
    instructions: string(body.instructions) ?? null,
    max_output_tokens: number(body.max_output_tokens) ?? null,
    metadata: body.metadata ?? {},
    model: string(body.model) ?? "unknown",
    output: outputOf(reply, body, id, status),
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: null,
    temperature: number(body.temperature) ?? 1,
    text: { format: object(body.text).format ?? { type: "text" } },
    tool_choice: body.tool_choice ?? "auto",
    tools: body.tools ?? [],
    top_p: number(body.top_p) ?? 1,
    truncation: "disabled",
    usage: {
      input_tokens: reply.inputTokens,
      input_tokens_details: { cached_tokens: reply.cachedTokens, cache_write_tokens: 0 },
      output_tokens: reply.outputTokens,
      output_tokens_details: { reasoning_tokens: reply.thinkingTokens },
      total_tokens: reply.inputTokens + reply.outputTokens,
    },
  };
}

function outputOf(reply: Reply, body: JsonObject, id: string, status: string): JsonObject[] {
  const { thinking, text, calls, refusal } = reply;
  const items: JsonObject[] = [];
  if (thinking !== undefined) items.push(reasoning(thinking, body, id));
  if (calls.length === 0 && (text !== "" || refusal !== undefined || thinking === undefined)) {
    items.push({
      type: "message",
      id: `msg_${id}`,
      status,
      role: "assistant",
      content: [
        refusal === undefined
          ? { type: "output_text", text, annotations: [], logprobs: [] }
          : { type: "refusal", refusal },
      ],
    });
  }
  for (const [index, { name, input }] of calls.entries()) {
    items.push({
      type: "function_call",
      id: `fc_${partId(`${id} item`, index, 24)}`,
      call_id: `call_${partId(id, index, 24)}`,
      name,
      arguments: JSON.stringify(input),
      status: "completed",
    });
  }
  return items;
}

/** Its text is shown as a summary only, and sealed only, where either is asked for. */
function reasoning(thinking: string, body: JsonObject, id: string): JsonObject {
  const summary = string(object(body.reasoning).summary);
  return {
    type: "reasoning",
    id: `rs_${id}`,
    summary: summary === undefined ? [] : [{ type: "summary_text", text: thinking }],
    ...(list(body.include).includes("reasoning.encrypted_content")
      ? { encrypted_content: signature(thinking) }
      : {}),
  };
}
