/** Media and documents as OpenAI writes them. */
import type { Raw } from "../json.ts";
import { quote, unquote } from "../raw.ts";

/** A media type as the target takes it. */
function plainType(mime: string): string {
  return mime === "image/jpg" ? "image/jpeg" : mime;
}

/** A data URL of base64, as a JSON string. */
export function dataUrlOf(mime: string, data: Raw): Raw {
  return `"data:${plainType(mime)};base64,${data.slice(1)}`;
}

/** The name of a document with an ending, as OpenAI wants one. */
export function fileName(name: Raw | undefined, ending: string): Raw {
  const given = name === undefined ? "document" : unquote(name);
  return quote(/\.[A-Za-z0-9]{1,5}$/.test(given) ? given : `${given}.${ending}`);
}
