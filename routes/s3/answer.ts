/** XML documents that go out. */
import { answerText } from "../text_answer.ts";

/** Answers with a document. */
export function answerXml(xml: string, headers: Readonly<Record<string, string>> = {}): Response {
  return answerText(xml, { "content-type": "application/xml", ...headers });
}
