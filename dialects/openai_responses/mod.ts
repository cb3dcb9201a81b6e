/** OpenAI's Responses. */
import type { ChatDialect } from "../dialect.ts";
import { openaiToolNames } from "../openai_chat/write_request.ts";
import { readAnswer, writeAnswer } from "./answers.ts";
import { readRequest } from "./read_request.ts";
import { writeRequest } from "./write_request.ts";

export const openaiResponses: ChatDialect = {
  name: "openai-responses",
  toolNames: openaiToolNames,
  readRequest,
  writeRequest,
  readAnswer,
  writeAnswer,
};
