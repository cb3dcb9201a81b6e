/** Answers of the dashboard: pages, and headers that keep other sites' scripts and frames out. */
import { answerText } from "../text_answer.ts";

/**
 * Of every answer. `same-origin`: with a stricter policy browsers send `Origin: null` with forms.
 */
export const secureHeaders: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/** A piece of a page, as hono/jsx makes it. */
interface Rendered {
  toString(): string | Promise<string>;
}

/** Writes a piece of a page as HTML. */
export async function renderPiece(piece: Rendered): Promise<string> {
  return String(await piece.toString());
}

/** Answers with a page. */
export async function answerPage(
  page: Rendered,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const html = `<!DOCTYPE html>${await renderPiece(page)}\n`;
  const all = { ...secureHeaders, "content-type": "text/html; charset=utf-8", ...headers };
  return answerText(html, all, status);
}

/** Sends the browser to another page, which it gets with GET. */
export function goTo(path: string, headers: Readonly<Record<string, string>> = {}): Response {
  return answerText("", { ...secureHeaders, location: path, ...headers }, 303);
}

/** Answers with a file of the dashboard itself, which browsers may keep. */
export function answerAsset(text: string, contentType: string): Response {
  const cached = { "cache-control": "private, max-age=300" };
  return answerText(text, { ...secureHeaders, "content-type": contentType, ...cached });
}
