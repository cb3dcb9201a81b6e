/** Gemini's generateContent. */
import type { ChatDialect } from "../dialect.ts";
import { readAnswer, writeAnswer } from "./answers.ts";
import { readRequest } from "./read_request.ts";
import { geminiToolNames, writeRequest } from "./write_request.ts";

export const gemini: ChatDialect = {
  name: "gemini",
  toolNames: geminiToolNames,
  readRequest,
  writeRequest,
  readAnswer,
  writeAnswer,
};
