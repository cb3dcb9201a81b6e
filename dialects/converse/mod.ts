/** Amazon Bedrock's Converse, and the form of Nova's InvokeModel, which is nearly the same. */
import type { ChatDialect } from "../dialect.ts";
import { readAnswer, writeAnswer } from "./answers.ts";
import { readRequest } from "./read_request.ts";
import { converseToolNames } from "./write_blocks.ts";
import { writeRequest } from "./write_request.ts";
import type { ConverseForm } from "./write_blocks.ts";

function dialectOf(form: ConverseForm): ChatDialect {
  return {
    name: form === "converse" ? "bedrock-converse" : "bedrock-nova",
    toolNames: converseToolNames,
    readRequest,
    writeRequest: (request, context) => writeRequest(request, context, form),
    readAnswer,
    writeAnswer: (answer, context) => writeAnswer(answer, context, form),
  };
}

export const converse = dialectOf("converse");
export const nova = dialectOf("nova");
