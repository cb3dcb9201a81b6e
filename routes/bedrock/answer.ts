/** Answers of the Bedrock API. */
import { answerText } from "../text_answer.ts";

/** Answers with JSON. */
export function answerJson(reply: unknown, headers: Readonly<Record<string, string>>): Response {
  return answerText(JSON.stringify(reply), { "content-type": "application/json", ...headers });
}
