/** Answers in each dialect: why they ended, what they cost, and what is counted as lost. */
import assert from "node:assert/strict";
import { parseJson } from "../../dialects/json.ts";
import { chatDialects } from "../../dialects/names.ts";
import type { ChatDialectName } from "../../dialects/names.ts";
import { chatDialect } from "../../dialects/registry.ts";
import { totalOf } from "../../dialects/usage.ts";
import { back } from "./records.ts";

function chatAnswer(message: string, reason: string, more = ""): string {
  return `{"id":"chatcmpl-1","object":"chat.completion","created":5,"model":"m","choices":[{"index":0,"message":${message},"logprobs":null,"finish_reason":"${reason}"}${more}],"usage":{"prompt_tokens":110,"completion_tokens":7,"total_tokens":117,"prompt_tokens_details":{"cached_tokens":40,"cache_write_tokens":30},"completion_tokens_details":{"reasoning_tokens":3}}}`;
}

function claudeAnswer(content: string, reason: string, more = ""): string {
  return `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":${content},"stop_reason":"${reason}","stop_sequence":null${more},"usage":{"input_tokens":40,"cache_creation_input_tokens":30,"cache_read_input_tokens":40,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":7,"output_tokens_details":{"thinking_tokens":3}}}`;
}

function responsesAnswer(output: string, more = '"incomplete_details":null'): string {
  return `{"id":"resp_1","object":"response","created_at":5,"status":"completed","error":null,${more},"model":"m","output":${output},"usage":{"input_tokens":110,"input_tokens_details":{"cached_tokens":40,"cache_write_tokens":30},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":117}}`;
}

function converseAnswer(content: string, reason: string): string {
  return `{"output":{"message":{"role":"assistant","content":${content}}},"stopReason":"${reason}","usage":{"inputTokens":40,"outputTokens":7,"totalTokens":117,"cacheReadInputTokens":40,"cacheWriteInputTokens":30},"metrics":{"latencyMs":3}}`;
}

function geminiAnswer(candidate: string): string {
  return `{"candidates":[${candidate}],"usageMetadata":{"promptTokenCount":110,"cachedContentTokenCount":40,"candidatesTokenCount":4,"thoughtsTokenCount":3,"totalTokenCount":117},"modelVersion":"m"}`;
}

const text = '{"role":"assistant","content":"a","refusal":null}';
const plain: Readonly<Record<ChatDialectName, string>> = {
  "bedrock-converse": converseAnswer('[{"text":"a"}]', "end_turn"),
  "bedrock-nova": converseAnswer('[{"text":"a"}]', "end_turn"),
  "bedrock-anthropic": claudeAnswer('[{"type":"text","text":"a"}]', "end_turn"),
  anthropic: claudeAnswer('[{"type":"text","text":"a"}]', "end_turn"),
  "bedrock-llama":
    '{"generation":"a","prompt_token_count":110,"generation_token_count":7,"stop_reason":"stop"}',
  "bedrock-openai": chatAnswer(text, "stop"),
  "openai-chat": chatAnswer(text, "stop"),
  "openai-responses": responsesAnswer(
    '[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a","annotations":[]}]}]',
  ),
  gemini: geminiAnswer('{"content":{"role":"model","parts":[{"text":"a"}]},"finishReason":"STOP"}'),
};

for (const to of chatDialects) {
  Deno.test(`All tokens of an answer of ${to} are counted once in every dialect`, () => {
    for (const from of chatDialects) {
      const { body, usage } = back(plain[to], { from, to });
      assert.equal(totalOf(usage), 117);
      const read = chatDialect(from).readAnswer(parseJson(body));
      assert(read.kind === "answer");
      assert.equal(totalOf(read.usage), 117, `${to} to ${from}: ${body}`);
      assert.equal(read.answers[0]?.stop, "end");
      const text = read.answers[0]?.parts[0];
      assert(text?.kind === "text" && text.text === '"a"');
    }
  });
}

interface Row {
  readonly title: string;
  readonly to: ChatDialectName;
  readonly answer: string;
  /** What a result of each dialect holds, and what is counted as lost there. */
  readonly results: Readonly<
    Partial<Record<ChatDialectName, readonly [holds: string, ...lost: readonly string[]]>>
  >;
}

const filtered: readonly Row[] = [
  {
    title: "A refusal in the model's words stays one",
    to: "openai-chat",
    answer: chatAnswer('{"role":"assistant","content":null,"refusal":"No."}', "stop"),
    results: {
      "bedrock-converse": ['[{"text":"No."}]}},"stopReason":"content_filtered"'],
      anthropic: ['"stop_reason":"refusal"'],
      "openai-responses": ['{"type":"refusal","refusal":"No."}'],
      gemini: ['{"text":"No."}],"role":"model"},"finishReason":"SAFETY"'],
      "bedrock-llama": ['"generation":"No."', "that a filter or a refusal ended it"],
    },
  },
  {
    title: "A refusal beside a filter is the model's words",
    to: "openai-chat",
    answer: chatAnswer('{"role":"assistant","content":null,"refusal":"No."}', "content_filter"),
    results: { "openai-responses": ['"status":"completed"'] },
  },
  {
    title: "A classifier's refusal says why",
    to: "anthropic",
    answer: claudeAnswer(
      "[]",
      "refusal",
      ',"stop_details":{"type":"refusal","category":"cyber","explanation":"policy"}',
    ),
    results: {
      "openai-chat": ['"refusal":"policy"},"logprobs":null,"finish_reason":"content_filter"'],
      "openai-responses": ['"content":[{"type":"refusal","refusal":"policy"}]'],
      "bedrock-anthropic": ['"category":"cyber","explanation":"policy"'],
      "bedrock-converse": ['"stopReason":"content_filtered"', "the reason of a refusal"],
      gemini: ['"promptFeedback":{"blockReason":"SAFETY","blockReasonMessage":"policy"}'],
    },
  },
  {
    title: "A prompt that was blocked is an answer",
    to: "gemini",
    answer:
      '{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":117}}',
    results: {
      "bedrock-converse": ['"content":[]}},"stopReason":"content_filtered"'],
      "openai-chat": ['"finish_reason":"content_filter"'],
      "openai-responses": ['"incomplete_details":{"reason":"content_filter"}'],
      anthropic: ['"stop_reason":"refusal"'],
    },
  },
  {
    title: "Thoughts that ate the limit leave an empty answer that was cut",
    to: "gemini",
    answer: geminiAnswer('{"finishReason":"MAX_TOKENS"}'),
    results: {
      "bedrock-converse": ['"content":[]}},"stopReason":"max_tokens"'],
      "openai-chat": ['"content":null,"refusal":null},"logprobs":null,"finish_reason":"length"'],
      "bedrock-llama": ['"stop_reason":"length"'],
    },
  },
  {
    title: "A reason that is not known is a plain end, and counted",
    to: "openai-chat",
    answer: chatAnswer(text, "weird"),
    results: {
      "bedrock-converse": ['"stopReason":"end_turn"', "a stop reason that is not known"],
      anthropic: ['"stop_reason":"end_turn"', "a stop reason that is not known"],
      gemini: ['"finishReason":"OTHER"', "a stop reason that is not known"],
    },
  },
  {
    title: "A malformed call is not a good answer",
    to: "gemini",
    answer: geminiAnswer('{"finishReason":"MALFORMED_FUNCTION_CALL"}'),
    results: {
      "bedrock-converse": ['"stopReason":"malformed_model_output"'],
      "openai-responses": ['"status":"failed"'],
    },
  },
  {
    title: "A guardrail stops with its own words",
    to: "bedrock-converse",
    answer: converseAnswer('[{"text":"blocked"}]', "guardrail_intervened"),
    results: {
      "bedrock-nova": ['"stopReason":"guardrail_intervened"'],
      "openai-chat": [
        '"content":"blocked","refusal":null},"logprobs":null,"finish_reason":"content_filter"',
      ],
    },
  },
];

const held: readonly Row[] = [
  {
    title: "A call makes it a call, whatever the reason",
    to: "gemini",
    answer: geminiAnswer(
      '{"content":{"parts":[{"functionCall":{"name":"f","args":{"n":1.0}}}]},"finishReason":"STOP"}',
    ),
    results: {
      "bedrock-converse": ['"input":{"n":1.0}}}]}},"stopReason":"tool_use"'],
      "openai-chat": [String.raw`"arguments":"{\"n\":1.0}"`],
      anthropic: ['"stop_reason":"tool_use"'],
    },
  },
  {
    title: "Arguments that were cut are kept",
    to: "openai-chat",
    answer: chatAnswer(
      String
        .raw`{"content":null,"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{\"a\":"}}]}`,
      "length",
    ),
    results: { anthropic: [String.raw`"input":{"value":"{\"a\":"}`] },
  },
  {
    title: "Citations are counted where they are foreign",
    to: "openai-chat",
    answer: chatAnswer(
      '{"content":"a","annotations":[{"type":"url_citation","url_citation":{"url":"u"}}]}',
      "stop",
    ),
    results: {
      "bedrock-converse": ['"text":"a"', "citations"],
      gemini: ['"text":"a"', "citations"],
      "bedrock-llama": ['"a"', "citations"],
    },
  },
  {
    title: "Grounding is counted where it is foreign",
    to: "gemini",
    answer: geminiAnswer(
      '{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP","groundingMetadata":{"groundingChunks":[{"web":{}}]}}',
    ),
    results: { "openai-chat": ['"content":"a"', "citations"] },
  },
  {
    title: "Further answers are counted",
    to: "openai-chat",
    answer: chatAnswer(text, "stop", `,{"index":1,"message":${text},"finish_reason":"stop"}`),
    results: { "bedrock-converse": ['"text":"a"', "further answers"], gemini: ['"index":1'] },
  },
  {
    title: "Log probabilities come in OpenAI's form",
    to: "gemini",
    answer: geminiAnswer(
      '{"content":{"parts":[{"text":"é"}]},"finishReason":"STOP","logprobsResult":{"chosenCandidates":[{"token":"é","logProbability":-0.10}],"topCandidates":[{"candidates":[{"token":"e","logProbability":-2}]}]}}',
    ),
    results: {
      "openai-chat": [
        '"logprobs":{"content":[{"token":"é","logprob":-0.10,"bytes":[195,169],"top_logprobs":[{"token":"e","logprob":-2,"bytes":[101]}]}],"refusal":null}',
      ],
    },
  },
  {
    title: "What was kept for an hour is counted apart",
    to: "anthropic",
    answer: claudeAnswer('[{"type":"text","text":"a"}]', "end_turn"),
    results: {
      "bedrock-anthropic": [
        '"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20}',
      ],
      "bedrock-converse": [
        '"cacheDetails":[{"ttl":"5m","inputTokens":10},{"ttl":"1h","inputTokens":20}]',
      ],
    },
  },
];

for (const { title, to, answer, results } of [...filtered, ...held]) {
  Deno.test(`${title} (${to})`, () => {
    for (const from of chatDialects) {
      const expected = results[from];
      if (!expected) continue;
      const [holds, ...lost] = expected;
      const result = back(answer, { from, to });
      assert(result.body.includes(holds), `${from}: ${holds} is not in ${result.body}`);
      assert.deepEqual(result.lost, lost, from);
    }
  });
}

Deno.test("A body of Responses that reports a failure is an error of its record", () => {
  const failed = responsesAnswer("[]").replace('"completed"', '"failed"')
    .replace('"error":null', '"error":{"code":"rate_limit_exceeded","message":"slow"}');
  const read = chatDialect("openai-responses").readAnswer(parseJson(failed));
  assert(read.kind === "error");
  assert.deepEqual([read.error, read.http, read.message], ["rate", 429, "slow"]);
});

Deno.test("The stop sequence that was met is in a Converse result that asks for it", () => {
  const answer = claudeAnswer('[{"type":"text","text":"a"}]', "stop_sequence")
    .replace('"stop_sequence":null', '"stop_sequence":"END"');
  const way = { from: "bedrock-converse", to: "anthropic" } as const;
  const asking =
    '{"messages":[{"role":"user","content":[{"text":"Hi"}]}],"additionalModelResponseFieldPaths":["/stop_sequence"]}';
  const held = '"additionalModelResponseFields":{"stop_sequence":"END"}';
  const asked = back(answer, way, asking);
  assert(asked.body.includes(held), asked.body);
  assert.deepEqual(asked.lost, []);
  assert.deepEqual(back(answer, way).lost, ["the stop text that matched"]);
});
