/** Features of settings: of the answer, of sampling, of reasoning, and what changes no answer. */
import type { Feature } from "./forms.ts";

const schema = '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],' +
  '"additionalProperties":false}';

export const settingFeatures: readonly Feature[] = [
  {
    name: "JSON schema of the answer",
    in: {
      "bedrock-converse": {
        more: '"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":' +
          `{"schema":${JSON.stringify(schema)}}}}}`,
      },
      anthropic: {
        more: `"output_config":{"format":{"type":"json_schema","schema":${schema}}}`,
      },
      "openai-chat": {
        more: '"response_format":{"type":"json_schema","json_schema":{"name":"response",' +
          `"strict":true,"schema":${schema}}}`,
      },
      "openai-responses": {
        more:
          `"text":{"format":{"type":"json_schema","name":"response","strict":true,"schema":${schema}}}`,
      },
      gemini: {
        more: '"generationConfig":{"responseMimeType":"application/json","responseSchema":' +
          '{"type":"OBJECT","properties":{"n":{"type":"INTEGER"}},"required":["n"]}}',
      },
    },
  },
  {
    name: "JSON without a schema",
    in: {
      "openai-chat": { more: '"response_format":{"type":"json_object"}' },
      "openai-responses": { more: '"text":{"format":{"type":"json_object"}}' },
      gemini: { more: '"generationConfig":{"responseMimeType":"application/json"}' },
    },
  },
  {
    name: "limit of tokens",
    in: {
      "bedrock-converse": { more: '"inferenceConfig":{"maxTokens":100}' },
      "openai-chat": { more: '"max_completion_tokens":100' },
      "openai-responses": { more: '"max_output_tokens":100' },
      gemini: { more: '"generationConfig":{"maxOutputTokens":100}' },
    },
  },
  {
    name: "temperature up to 1",
    in: {
      "bedrock-converse": { more: '"inferenceConfig":{"temperature":0.5}' },
      anthropic: { more: '"temperature":0.5' },
      "openai-chat": { more: '"temperature":0.5' },
      "openai-responses": { more: '"temperature":0.5' },
      gemini: { more: '"generationConfig":{"temperature":0.5}' },
    },
  },
  {
    name: "temperature above 1",
    in: {
      "openai-chat": { more: '"temperature":1.5' },
      "openai-responses": { more: '"temperature":1.5' },
      gemini: { more: '"generationConfig":{"temperature":1.5}' },
    },
  },
  {
    name: "top-k",
    in: {
      "bedrock-converse": { more: '"additionalModelRequestFields":{"top_k":5}' },
      anthropic: { more: '"top_k":5' },
      gemini: { more: '"generationConfig":{"topK":5}' },
    },
  },
  {
    name: "stop sequence",
    in: {
      "bedrock-converse": { more: '"inferenceConfig":{"stopSequences":["END"]}' },
      anthropic: { more: '"stop_sequences":["END"]' },
      "openai-chat": { more: '"stop":["END"]' },
      gemini: { more: '"generationConfig":{"stopSequences":["END"]}' },
    },
  },
  {
    name: "six stop sequences",
    in: {
      "bedrock-converse": {
        more: '"inferenceConfig":{"stopSequences":["a","b","c","d","e","f"]}',
      },
      anthropic: { more: '"stop_sequences":["a","b","c","d","e","f"]' },
    },
  },
  {
    name: "seed",
    in: {
      "openai-chat": { more: '"seed":7' },
      gemini: { more: '"generationConfig":{"seed":7}' },
    },
  },
  {
    name: "several answers",
    in: {
      "openai-chat": { more: '"n":2' },
      gemini: { more: '"generationConfig":{"candidateCount":2}' },
    },
  },
  {
    name: "presence penalty",
    in: {
      "openai-chat": { more: '"presence_penalty":0.5' },
      gemini: { more: '"generationConfig":{"presencePenalty":0.5}' },
    },
  },
  {
    name: "log probabilities",
    in: {
      "openai-chat": { more: '"logprobs":true,"top_logprobs":2' },
      gemini: { more: '"generationConfig":{"responseLogprobs":true,"logprobs":2}' },
    },
  },
  {
    name: "budget of reasoning",
    reasons: true,
    in: {
      "bedrock-converse": {
        more: '"inferenceConfig":{"maxTokens":4096},"additionalModelRequestFields":' +
          '{"thinking":{"type":"enabled","budget_tokens":2048}}',
      },
      anthropic: { more: '"thinking":{"type":"enabled","budget_tokens":2048}' },
      gemini: { more: '"generationConfig":{"thinkingConfig":{"thinkingBudget":2048}}' },
    },
  },
  {
    name: "effort of reasoning",
    reasons: true,
    in: {
      "openai-chat": { more: '"reasoning_effort":"low"' },
      "openai-responses": { more: '"reasoning":{"effort":"low"}' },
    },
  },
  {
    name: "metadata, user",
    in: {
      "bedrock-converse": { more: '"requestMetadata":{"team":"a"}' },
      anthropic: { more: '"metadata":{"user_id":"u1"}' },
      "openai-chat": { more: '"user":"u1"' },
      "openai-responses": { more: '"user":"u1"' },
    },
  },
  {
    name: "service tier",
    in: {
      "bedrock-converse": { more: '"serviceTier":{"type":"priority"}' },
      anthropic: { more: '"service_tier":"auto"' },
      "openai-chat": { more: '"service_tier":"flex"' },
      "openai-responses": { more: '"service_tier":"flex"' },
    },
  },
  {
    name: "guardrail, safety settings",
    in: {
      "bedrock-converse": {
        more: '"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1"}',
      },
      gemini: {
        more: '"safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}]',
      },
    },
  },
  {
    name: "state at the provider",
    in: {
      "openai-responses": { more: '"previous_response_id":"resp_1"' },
      gemini: { more: '"cachedContent":"cachedContents/1"' },
    },
  },
  {
    name: "a member that only the source's API knows",
    in: {
      "bedrock-converse": { more: '"additionalModelRequestFields":{"made_up":1}' },
      anthropic: { more: '"made_up":1' },
      "openai-chat": { more: '"made_up":1' },
      "openai-responses": { more: '"made_up":1' },
      gemini: { more: '"generationConfig":{"made_up":1}' },
    },
  },
];
