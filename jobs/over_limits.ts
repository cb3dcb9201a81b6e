/** Whether a provider file holds more than one batch of its provider takes. */
import type { ObjectEntry } from "../catalog/entries.ts";
import { Failure } from "../codecs/failure.ts";
import { LineReader } from "../dialects/lines.ts";
import type { BatchLimits } from "../providers/provider.ts";
import { accountOf, type Reach } from "../reach/reach.ts";
import type { JobTools } from "./deps.ts";

/** So much of a file is read to see how long its lines are, in bytes. */
const sampleBytes = 256 * 1024;
/** A file is read whole where the lines of its beginning leave it open by this factor. */
const margin = 2;

/** Returns whether an object that is a provider file is over the limits of one batch. */
export async function isOverLimits(
  deps: Pick<JobTools, "objects">,
  reach: Reach,
  object: ObjectEntry,
  limits: BatchLimits,
  signal: AbortSignal,
): Promise<boolean> {
  const { bytes } = object;
  if (bytes > limits.bytes) return true;
  // The shortest record has more bytes than this.
  if (bytes / 20 <= limits.records || !canBeRead(reach, object)) return false;
  const count = async (last: number | undefined) => {
    const range = last === undefined ? undefined : { first: 0, last };
    return await countRecords(
      await deps.objects.read(reach, { record: object }, range, signal),
      limits.records + 1,
    );
  };
  const isSample = bytes > sampleBytes;
  const seen = await count(isSample ? sampleBytes - 1 : undefined);
  if (seen > limits.records || !isSample) return seen > limits.records;
  const likely = seen * bytes / sampleBytes;
  return likely * margin > limits.records && await count(undefined) > limits.records;
}

/**
 * Returns whether the bytes of an object can be read back; not every provider gives its files to
 * anyone.
 */
export function canBeRead({ provider }: Reach, { held }: Pick<ObjectEntry, "held">): boolean {
  if (held.in !== "provider" || held.copy) return true;
  return accountOf(provider, held.account).files?.idIn === undefined;
}

/** Throws `invalid` where the records of an input are to be read and cannot be. */
export function checkReadable(
  reach: Reach,
  object: Pick<ObjectEntry, "held">,
  why: string,
): void {
  if (canBeRead(reach, object)) return;
  throw new Failure(
    "invalid",
    `${why}, so that its records are to be read, and ${reach.provider.name} gives no file back. ` +
      'Set "objects": { "keep": "all" } in the gateway\'s configuration and put the input again',
  );
}

/** Counts the records of a body, and no more of them than `most`. */
export async function countRecords(
  body: ReadableStream<Uint8Array>,
  most: number,
): Promise<number> {
  const lines = new LineReader();
  let count = 0;
  for await (const chunk of body) {
    for (const _ of lines.push(chunk)) count++;
    if (count >= most) return count;
  }
  for (const _ of lines.end()) count++;
  return count;
}
