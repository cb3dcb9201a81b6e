/** OpenAI's chat completions, and the models of Bedrock that take the same body. */
import type { ChatDialect } from "../dialect.ts";
import { readAnswer, writeAnswer } from "./answers.ts";
import { readRequest } from "./read_request.ts";
import { openaiToolNames, writeRequest } from "./write_request.ts";

export const openaiChat: ChatDialect = {
  name: "openai-chat",
  toolNames: openaiToolNames,
  readRequest,
  writeRequest,
  readAnswer,
  writeAnswer,
};

/** gpt-oss, Qwen, DeepSeek and Mistral's chat models on Bedrock, by InvokeModel. */
export const bedrockOpenai: ChatDialect = { ...openaiChat, name: "bedrock-openai" };
