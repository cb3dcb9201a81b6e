/** Answers of the Bedrock API. */
import { answerBytes, answerText } from "../text_answer.ts";

/** JSON that is written already, for what is asked for again and again. */
export class WrittenJson {
  readonly bytes: Uint8Array<ArrayBuffer>;

  constructor(value: unknown) {
    this.bytes = new TextEncoder().encode(JSON.stringify(value));
  }
}

/** Answers with JSON. */
export function answerJson(
  reply: unknown,
  headers: Readonly<Record<string, string>>,
): Response {
  const all = { "content-type": "application/json", ...headers };
  if (reply instanceof WrittenJson) return answerBytes(reply.bytes, all);
  return answerText(JSON.stringify(reply), all);
}
