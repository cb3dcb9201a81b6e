/** Lists that go on after the last id of a page, as OpenAI and Anthropic have them. */
import { unexpectedReply } from "./failures.ts";
import { idText, type JsonObject, object, objects } from "./json.ts";
import type { Page } from "./provider.ts";

/**
 * Reads one page, `{data, has_more, last_id}`. What `read` does not know is left out.
 *
 * It is the last page where nothing new is on it, or where the cursor is the one it was asked with:
 * compatible servers that know no pages answer the same one again and again.
 */
export function readPage<Item extends { readonly id: string }>(
  provider: string,
  reply: unknown,
  cursor: string | undefined,
  read: (item: JsonObject) => Item | undefined,
): Page<Item> {
  // Some services that know no pages answer the bare list.
  const members = Array.isArray(reply) ? { data: reply } : object(reply);
  if (!Array.isArray(members?.["data"])) throw unexpectedReply(provider, 200, true);
  const listed = objects(members["data"]);
  const items = listed.map(read).filter((item) => item !== undefined);
  const last = idText(members["last_id"]) ?? items.at(-1)?.id;
  const more = members["has_more"] === true && listed.length > 0;
  return more && last !== undefined && last !== cursor ? { items, cursor: last } : { items };
}
