/** The AI SDK reads an answer that was translated as it reads the original. */
import assert from "node:assert/strict";
import { read, spoken } from "./ai.ts";
import type { Read, Spoken } from "./ai.ts";
import { back } from "./records.ts";

/** The same answers as each API gives them: a call beside words, and words that were cut. */
const calling: Readonly<Record<Spoken, string>> = {
  "openai-chat":
    '{"id":"chatcmpl-1","object":"chat.completion","created":5,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"One more.","refusal":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{\\"city\\":\\"Oslo\\"}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":90,"completion_tokens":20,"total_tokens":110,"prompt_tokens_details":{"cached_tokens":40},"completion_tokens_details":{"reasoning_tokens":5}}}',
  "openai-responses":
    '{"id":"resp_1","object":"response","created_at":5,"status":"completed","error":null,"incomplete_details":null,"model":"m","output":[{"id":"msg_1","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"One more.","annotations":[]}]},{"id":"fc_1","type":"function_call","status":"completed","call_id":"call_1","name":"f","arguments":"{\\"city\\":\\"Oslo\\"}"}],"usage":{"input_tokens":90,"input_tokens_details":{"cached_tokens":40},"output_tokens":20,"output_tokens_details":{"reasoning_tokens":5},"total_tokens":110}}',
  gemini:
    '{"candidates":[{"content":{"role":"model","parts":[{"text":"One more."},{"functionCall":{"id":"call_1","name":"f","args":{"city":"Oslo"}}}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":90,"cachedContentTokenCount":40,"candidatesTokenCount":15,"thoughtsTokenCount":5,"totalTokenCount":110},"modelVersion":"m","responseId":"r"}',
  anthropic:
    '{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"One more."},{"type":"tool_use","id":"call_1","name":"f","input":{"city":"Oslo"}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":50,"cache_creation_input_tokens":0,"cache_read_input_tokens":40,"output_tokens":20,"output_tokens_details":{"thinking_tokens":5}}}',
  "bedrock-converse":
    '{"output":{"message":{"role":"assistant","content":[{"text":"One more."},{"toolUse":{"toolUseId":"call_1","name":"f","input":{"city":"Oslo"}}}]}},"stopReason":"tool_use","usage":{"inputTokens":50,"outputTokens":20,"totalTokens":110,"cacheReadInputTokens":40},"metrics":{"latencyMs":3}}',
};
const cut: Readonly<Record<Spoken, string>> = {
  "openai-chat":
    '{"id":"chatcmpl-1","object":"chat.completion","created":5,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Once upon","refusal":null},"logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}',
  "openai-responses":
    '{"id":"resp_1","object":"response","created_at":5,"status":"incomplete","error":null,"incomplete_details":{"reason":"max_output_tokens"},"model":"m","output":[{"id":"msg_1","type":"message","role":"assistant","status":"incomplete","content":[{"type":"output_text","text":"Once upon","annotations":[]}]}],"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":0},"output_tokens":2,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":11}}',
  gemini:
    '{"candidates":[{"content":{"role":"model","parts":[{"text":"Once upon"}]},"finishReason":"MAX_TOKENS","index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":2,"totalTokenCount":11},"modelVersion":"m","responseId":"r"}',
  anthropic:
    '{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Once upon"}],"stop_reason":"max_tokens","stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":2}}',
  "bedrock-converse":
    '{"output":{"message":{"role":"assistant","content":[{"text":"Once upon"}]}},"stopReason":"max_tokens","usage":{"inputTokens":9,"outputTokens":2,"totalTokens":11},"metrics":{"latencyMs":3}}',
};
const blocked: Readonly<Record<Spoken, string>> = {
  "openai-chat": cut["openai-chat"].replace('"length"', '"content_filter"'),
  "openai-responses": cut["openai-responses"].replace("max_output_tokens", "content_filter"),
  gemini: cut.gemini.replace("MAX_TOKENS", "SAFETY"),
  anthropic: cut.anthropic.replace('"max_tokens"', '"refusal"'),
  "bedrock-converse": cut["bedrock-converse"].replace('"max_tokens"', '"content_filtered"'),
};

/** What of an answer must be read alike: contents, the reason, and the sums of tokens. */
function seen({ content, finishReason, usage }: Read): unknown {
  return {
    content: content.map((part) =>
      part.type === "text"
        ? part.text
        : part.type === "tool-call"
        ? [part.toolCallId, part.toolName, JSON.parse(part.input)]
        : part.type
    ),
    reason: finishReason.unified,
    input: usage.inputTokens.total,
    fromCache: usage.inputTokens.cacheRead ?? 0,
    output: usage.outputTokens.total,
  };
}

const samples = {
  "a call": calling,
  "words that were cut": cut,
  "words that were blocked": blocked,
};

for (const [title, answers] of Object.entries(samples)) {
  for (const to of spoken) {
    Deno.test(`The AI SDK reads ${title} of ${to} alike in every dialect`, async () => {
      const original = seen(await read(to, answers[to]));
      for (const from of spoken) {
        if (from === to) continue;
        const { body } = back(answers[to], { from, to });
        assert.deepEqual(seen(await read(from, body)), original, `${from}: ${body}`);
      }
    });
  }
}
