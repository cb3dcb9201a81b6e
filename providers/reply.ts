/** Reads a provider's reply: its JSON, or the words of a refusal. */
import { readAtMost, readWhole } from "./body.ts";

/** The longest list that any provider gives holds 10,000 files of some 400 bytes each. */
const maxReplyBytes = 16 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;

/** Stands for a text that is not JSON; no JSON is a symbol. */
export const invalidJson = Symbol("not JSON");

function parse(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return invalidJson;
  }
}

/**
 * A reply's JSON: undefined where it has no body, {@linkcode invalidJson} where it is not JSON or
 * too long.
 */
export async function readJson(response: Response, limit = maxReplyBytes): Promise<unknown> {
  const { headers, body } = response;
  if (body === null) return undefined;
  const length = Number(headers.get("content-length") ?? Infinity);
  if (length <= limit) return parse(await response.text());
  const bytes = await readWhole(body, limit);
  return bytes ? parse(new TextDecoder().decode(bytes)) : invalidJson;
}

/**
 * Texts of routers and proxies that know no such address. They must not pass for "this file is gone",
 * which a provider says in words of its own.
 */
const saysOnlyNotFound =
  /^(?:(?:default backend|error|http|page)\W*)*(?:404|410)?\W*(?:page )?(?:not found|gone)?\W*(?:404|410)?\W*$/i;

/** Longer texts say more; and matching them would take long. */
const maxRouterText = 64;

/**
 * The body of a refusal: parsed JSON, or the text of one that is plain text. Undefined for markup,
 * which is a proxy's, and for an empty body; what of it came where it breaks off.
 */
export async function readRefusal(response: Response): Promise<unknown> {
  if (response.body === null) return undefined;
  const text = new TextDecoder().decode(await readAtMost(response.body, maxErrorBytes)).trim();
  const body = parse(text);
  if (body !== invalidJson) return body;
  const type = response.headers.get("content-type") ?? "";
  if (/\b(?:html|xml)\b/i.test(type) || text.startsWith("<") || /[{[]/.test(text[0] ?? "")) {
    return undefined;
  }
  return text.length <= maxRouterText && saysOnlyNotFound.test(text) ? undefined : text;
}
