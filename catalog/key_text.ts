/** Keys of the catalog as texts, for maps and sets. */
import { latin1 } from "../codecs/latin1.ts";

/** A text that is another one for every other key. */
export function keyText(key: Deno.KvKey): string {
  let text = "";
  for (const part of key) {
    // The length says where a part ends, whatever characters it has.
    if (typeof part === "string") text += `s${part.length}:${part}`;
    else if (part instanceof Uint8Array) text += `b${part.length}:${latin1(part)}`;
    else text += `${typeof part}:${String(part)};`;
  }
  return text;
}

/** A key as it is logged, cut short. */
export function keyWords(key: Deno.KvKey): string {
  const utf8 = new TextDecoder();
  const words = key.map((part) => part instanceof Uint8Array ? utf8.decode(part) : String(part));
  return words.map((word) => word.slice(0, 100)).join("/").slice(0, 300);
}
