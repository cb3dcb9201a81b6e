/** Answers made of text, of a length that is known. */

const utf8 = new TextEncoder();

/** Answers with a text. It is encoded here, because the answer's headers hold the length. */
export function answerText(
  text: string,
  headers: Readonly<Record<string, string>>,
  status = 200,
): Response {
  return answerBytes(utf8.encode(text), headers, status);
}

/** Answers with a text that is encoded already. */
export function answerBytes(
  bytes: Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>>,
  status = 200,
): Response {
  return new Response(bytes, {
    status,
    headers: { ...headers, "content-length": `${bytes.length}` },
  });
}
