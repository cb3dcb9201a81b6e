/** What the simulated models answer to one record, each family in its own form. */
import { openaiReply } from "../openai/replies.ts";
import { type JsonObject, list, number, object, string } from "../json.ts";
import { bedrockFault } from "../anthropic/fault.ts";
import { anthropicReply } from "../anthropic/reply.ts";
import { complete, embedding, type ReplyFacts, tokenCount } from "../replies.ts";
import { converseReply } from "./converse.ts";
import { converseFault } from "./converse_fault.ts";
import { llamaFault, titanEmbeddingFault } from "./invoke_fault.ts";
import { converseOf, novaFault } from "./nova_form.ts";

/** A record's end. */
export type Answer =
  | {
    readonly modelOutput: JsonObject;
    readonly inputTokens: number;
    readonly outputTokens: number;
  }
  | { readonly errorCode: number; readonly errorMessage: string };

/** Answers a record, or says what its input lacks. */
type Model = (input: JsonObject, modelId: string, facts: ReplyFacts) => Answer;

/** Finds what answers the records of a job. */
export function modelFor(
  modelId: string,
  type: "InvokeModel" | "Converse",
): (input: JsonObject, facts: ReplyFacts) => Answer {
  const name = modelId.slice(modelId.lastIndexOf("/") + 1);
  const model = type === "Converse"
    ? converse
    : families.find(([pattern]) => pattern.test(name))?.[1] ?? chat;
  return (input, facts) => model(input, name, facts);
}

const refuse = (errorMessage: string): Answer => ({ errorCode: 400, errorMessage });

const converse: Model = (input, modelId, { id }) => {
  const wrong = converseFault(input, modelId);
  if (wrong !== undefined) return refuse(wrong);
  const modelOutput = converseReply(input, id);
  const usage = object(modelOutput.usage);
  return {
    modelOutput,
    inputTokens: number(usage.inputTokens) ?? 0,
    outputTokens: number(usage.outputTokens) ?? 0,
  };
};

const claude: Model = (input, modelId, facts) => {
  const wrong = bedrockFault(input, modelId);
  if (wrong !== undefined) return refuse(wrong);
  const modelOutput = anthropicReply(
    input,
    modelId.replace(/^.*?anthropic\./, ""),
    facts,
    "msg_bdrk_",
  );
  const usage = object(modelOutput.usage);
  return {
    modelOutput,
    inputTokens: number(usage.input_tokens) ?? 0,
    outputTokens: number(usage.output_tokens) ?? 0,
  };
};

const nova: Model = (input, modelId, facts) => {
  const request = converseOf(input);
  const wrong = novaFault(input);
  if (wrong !== undefined) return refuse(wrong);
  const answer = converse(request, modelId, facts);
  if (!("modelOutput" in answer)) return answer;
  const { metrics: __, ...modelOutput } = answer.modelOutput;
  return { ...answer, modelOutput };
};

const chat: Model = (input, modelId, facts) => {
  if (list(input.messages).length === 0) return refuse("messages: Field required");
  const reply = openaiReply("/v1/chat/completions", { ...input, model: modelId }, facts);
  const usage = object(reply?.usage);
  return {
    modelOutput: reply ?? {},
    inputTokens: number(usage.prompt_tokens) ?? 0,
    outputTokens: number(usage.completion_tokens) ?? 0,
  };
};

const titanText: Model = (input) => {
  const prompt = string(input.inputText);
  if (prompt === undefined) return refuse("#: required key [inputText] not found");
  const limit = number(object(input.textGenerationConfig).maxTokenCount);
  const { text, inputTokens, outputTokens, truncated } = complete(prompt, prompt, limit);
  const completionReason = truncated ? "LENGTH" : "FINISH";
  return {
    modelOutput: {
      inputTextTokenCount: inputTokens,
      results: [{ tokenCount: outputTokens, outputText: text, completionReason }],
    },
    inputTokens,
    outputTokens,
  };
};

const titanEmbedding: Model = (input, modelId) => {
  const wrong = titanEmbeddingFault(input, modelId);
  if (wrong !== undefined) return refuse(wrong);
  const text = string(input.inputText) ?? "";
  const vector = embedding(text, number(input.dimensions) ?? 1024);
  const inputTokens = tokenCount(text);
  return {
    modelOutput: {
      embedding: vector,
      embeddingsByType: { float: vector },
      inputTextTokenCount: inputTokens,
    },
    inputTokens,
    outputTokens: 0,
  };
};

const cohereEmbedding: Model = (input, _modelId, { id }) => {
  const texts = list(input.texts).filter((text) => typeof text === "string");
  if (texts.length === 0 || texts.length > 96) return refuse("texts: must hold 1 to 96 strings");
  if (string(input.input_type) === undefined) return refuse("input_type: Field required");
  return {
    modelOutput: {
      id,
      response_type: "embeddings_floats",
      embeddings: texts.map((text) => embedding(text, 1024)),
      texts,
    },
    inputTokens: texts.reduce((sum, text) => sum + tokenCount(text), 0),
    outputTokens: 0,
  };
};

const llama: Model = (input) => {
  const wrong = llamaFault(input);
  if (wrong !== undefined) return refuse(wrong);
  const prompt = string(input.prompt) ?? "";
  const limit = number(input.max_gen_len);
  const { text, inputTokens, outputTokens, truncated } = complete(prompt, prompt, limit);
  return {
    modelOutput: {
      generation: text,
      prompt_token_count: inputTokens,
      generation_token_count: outputTokens,
      stop_reason: truncated ? "length" : "stop",
    },
    inputTokens,
    outputTokens,
  };
};

const mistral: Model = (input, modelId, facts) => {
  if (input.messages !== undefined) return chat(input, modelId, facts);
  const prompt = string(input.prompt);
  if (prompt === undefined) return refuse("#: required key [prompt] not found");
  const limit = number(input.max_tokens);
  const { text, inputTokens, outputTokens, truncated } = complete(prompt, prompt, limit);
  return {
    modelOutput: { outputs: [{ text, stop_reason: truncated ? "length" : "stop" }] },
    inputTokens,
    outputTokens,
  };
};

/** By the model's name, with or without a region before it; any other takes chat completions. */
const families: readonly (readonly [RegExp, Model])[] = [
  [/(^|\.)anthropic\./, claude],
  [/(^|\.)amazon\.nova/, nova],
  [/(^|\.)amazon\.titan-embed/, titanEmbedding],
  [/(^|\.)amazon\.titan/, titanText],
  [/(^|\.)cohere\.embed/, cohereEmbedding],
  [/(^|\.)meta\.llama/, llama],
  [/(^|\.)mistral\./, mistral],
];
