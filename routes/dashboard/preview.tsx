/** The first lines of an object, and its bytes as a file: a browser must show neither as a page. */
import { visible } from "../../codecs/visible.ts";
import { secureHeaders } from "./answer.ts";
import { Notice } from "./layout.tsx";

/** So much of an object is read for its first lines, in bytes. */
const previewBytes = 32 * 1024;
const mostLines = 20;
/** Characters that are shown of a line. */
const longestLine = 2_000;

/** The bytes that are read of an object of this length, which is not empty. */
export function previewRange(bytes: number): { readonly first: number; readonly last: number } {
  return { first: 0, last: Math.min(bytes, previewBytes) - 1 };
}

/** Reads the first lines of a text; none of other bytes. The stream is left, and so cancelled. */
export async function linesOf(body: ReadableStream<Uint8Array>): Promise<readonly string[]> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length >= previewBytes) break;
  }
  if (text.includes("\0")) return [];
  return text.replace(/\n$/, "").split("\n").slice(0, mostLines)
    .map((line) =>
      line.length > longestLine ? `${visible(line.slice(0, longestLine))} …` : visible(line)
    );
}

/** The section of an object's first lines. */
export function FirstLines({ lines }: { readonly lines: readonly string[] }) {
  return (
    <>
      <h2 id="lines">First lines</h2>
      {lines.length === 0
        ? <Notice>The object is empty, or not a text.</Notice>
        : (
          <pre tabindex={0} role="region" aria-labelledby="lines">
            {lines.map((line) => `${line}\n`).join("")}
          </pre>
        )}
    </>
  );
}

/** Answers with bytes as a file to be saved under the end of its key. */
export function asDownload(
  body: ReadableStream<Uint8Array> | null,
  key: string,
  length: string | undefined,
): Response {
  const name = encodeURIComponent((key.split("/").at(-1) || "object").toWellFormed())
    .replaceAll("'", "%27");
  return new Response(body, {
    headers: {
      ...secureHeaders,
      "content-security-policy": "sandbox; default-src 'none'",
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename*=UTF-8''${name}`,
      ...(length !== undefined && { "content-length": length }),
    },
  });
}
