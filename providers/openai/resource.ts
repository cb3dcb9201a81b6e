/** Where a file or batch is in a reply. */
import { type JsonObject, object } from "../json.ts";

/** OpenAI answers the thing itself; Together puts a new batch into `job`, SiliconFlow all into `data`. */
const wrappers = ["data", "job", "batch", "file"] as const;

/** The file or batch in a reply; an empty object where there is none. */
export function resourceIn(reply: unknown): JsonObject {
  const body = object(reply) ?? {};
  if (body["id"] !== undefined) return body;
  const inner = wrappers.map((name) => object(body[name])).find((one) => one !== undefined);
  return inner ?? body;
}
