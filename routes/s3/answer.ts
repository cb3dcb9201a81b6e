/** XML documents that go out. */
import { answerBytes, answerText } from "../text_answer.ts";

/** Answers with a document, written or encoded already. */
export function answerXml(
  xml: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const all = { "content-type": "application/xml", ...headers };
  return typeof xml === "string" ? answerText(xml, all) : answerBytes(xml, all);
}
