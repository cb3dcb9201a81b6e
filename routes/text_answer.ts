/** Answers made of text, of a length that is known. */

const utf8 = new TextEncoder();

/** Answers with a text. It is encoded here, for the answer must tell its bytes beforehand. */
export function answerText(
  text: string,
  headers: Readonly<Record<string, string>>,
  status = 200,
): Response {
  const bytes = utf8.encode(text);
  return new Response(bytes, {
    status,
    headers: { ...headers, "content-length": `${bytes.length}` },
  });
}
