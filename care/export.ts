/**
 * A backup of the catalog, as JSON Lines: a head with the schema, an entry a line in the order of
 * keys, and an end with their number, so that a backup that was cut short is known for one.
 *
 * Secrets are in it as they are in the catalog: what is sealed there stays sealed, what is not (the
 * secret of page tokens) is readable.
 */
import { encode } from "../codecs/kv_json.ts";
import { keys, maxBatch } from "../catalog/keys.ts";
import { schemaOf } from "../catalog/schema.ts";

/** The form of backups that this program writes and reads. */
export const backupFormat = 1;

/** The lines of a backup, each with its line feed. */
export async function* backupLines(kv: Deno.Kv, now: Date): AsyncGenerator<string> {
  const schema = await schemaOf(kv);
  const head = { batchway: "catalog", format: backupFormat, schema, at: now.toISOString() };
  yield `${JSON.stringify(head)}\n`;
  let entries = 0;
  const [ownKey] = keys.schema();
  for await (const { key, value } of kv.list({ prefix: [] }, { batchSize: maxBatch })) {
    if (key[0] === ownKey) continue;
    entries++;
    yield `${JSON.stringify({ k: key.map(encode), v: encode(value) })}\n`;
  }
  yield `${JSON.stringify({ end: entries })}\n`;
}
