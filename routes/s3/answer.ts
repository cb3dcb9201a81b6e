/** XML documents that go out. */
import { Buffer } from "node:buffer";

/** Answers with a document. */
export function answerXml(xml: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(xml, {
    headers: {
      "content-type": "application/xml",
      "content-length": `${Buffer.byteLength(xml)}`,
      ...headers,
    },
  });
}
