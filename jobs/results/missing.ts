/** Which records of a job's input its results lack, or repeat: read from the input, in its order. */
import type { Breath } from "../../runtime/breath.ts";
import { IdSet } from "../../runtime/id_set.ts";
import { isBlank, splitLines } from "../../codecs/jsonl.ts";
import type { Envelope } from "../../providers/provider.ts";
import type { Check } from "./check.ts";
import { recordIn } from "./record.ts";
import { mostNamed } from "./report.ts";

/** The first records in the order of the input. */
export interface Names {
  readonly missing: readonly string[];
  readonly repeated: readonly string[];
}

const maxLineBytes = 128 * 2 ** 20;

/** Names the first records that are missing or came more than once. */
export async function namesOf(
  ids: AsyncIterable<string> | Iterable<string>,
  check: Check,
  breath: Breath,
): Promise<Names> {
  const missing: string[] = [];
  const repeated: string[] = [];
  for await (const id of ids) {
    if (breath.isDue()) await breath.take();
    if (missing.length < mostNamed && !check.ids.has(id)) missing.push(id);
    if (repeated.length < mostNamed && check.repeatedIds.has(id)) repeated.push(id);
    const found = missing.length === mostNamed &&
      repeated.length === Math.min(mostNamed, check.repeatedIds.size);
    if (found) break;
  }
  return { missing, repeated };
}

/** Returns whether each record of an input has an id of its own; false where that is not known. */
export async function haveOwnIds(
  open: () => Promise<AsyncIterable<string> | Iterable<string> | undefined>,
  breath: Breath,
): Promise<boolean> {
  const ids = await open();
  if (!ids) return false;
  const seen = new IdSet();
  for await (const id of ids) {
    if (breath.isDue()) await breath.take();
    if (!seen.add(id)) return false;
  }
  return !seen.isFull;
}

/** The ids of an input's records, in its order. */
export async function* idsOf(
  input: ReadableStream<Uint8Array>,
  envelope: Envelope,
  breath: Breath,
): AsyncGenerator<string> {
  for await (const line of input.pipeThrough(splitLines({ maxLineBytes }))) {
    if (breath.isDue()) await breath.take();
    const record = isBlank(line) ? undefined : await recordIn(line, breath);
    const id = record && envelope.idOf(record);
    if (id !== undefined) yield id;
  }
}
