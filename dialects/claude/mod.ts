/** Anthropic's messages, and Claude's InvokeModel on Bedrock, which is nearly the same. */
import type { ChatDialect } from "../dialect.ts";
import { readAnswer, writeAnswer } from "./answers.ts";
import { readRequest } from "./read_request.ts";
import type { ClaudeForm } from "./write_blocks.ts";
import { claudeToolNames, writeRequest } from "./write_request.ts";

function dialectOf(form: ClaudeForm): ChatDialect {
  return {
    name: form === "anthropic" ? "anthropic" : "bedrock-anthropic",
    toolNames: claudeToolNames,
    readRequest,
    writeRequest: (request, context) => writeRequest(request, context, form),
    readAnswer,
    writeAnswer,
  };
}

export const anthropic = dialectOf("anthropic");
export const bedrockAnthropic = dialectOf("bedrock");
