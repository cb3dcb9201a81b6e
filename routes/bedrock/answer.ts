/** Answers of the Bedrock API. */
import { Buffer } from "node:buffer";

/** Answers with JSON, of a length that is known. */
export function answerJson(reply: unknown, headers: Readonly<Record<string, string>>): Response {
  const text = JSON.stringify(reply);
  return new Response(text, {
    headers: {
      "content-type": "application/json",
      "content-length": `${Buffer.byteLength(text)}`,
      ...headers,
    },
  });
}
