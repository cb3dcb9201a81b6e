/** Results of a batch: written once, with the first look after its end. */
import { splitLines } from "../../codecs/jsonl.ts";
import type { JsonObject } from "../json.ts";
import { resultLines as linesAsked } from "../model/words.ts";
import { conversation } from "../replies.ts";
import { jsonLines } from "../streams.ts";
import { carryOut } from "./messages.ts";
import type { Progress } from "./progress.ts";
import type { Anthropic, BatchRecord, Counts } from "./records.ts";

const maxLineBytes = 256 * 2 ** 20;
/** How many results wait to be put into another order. */
const shuffled = 16;

/** Writes the results of a batch that has ended; returns how many there are of each kind. */
export async function writeResults(
  { context }: Anthropic,
  batch: BatchRecord,
  progress: Progress,
): Promise<{ counts: Counts; resultBlob: string }> {
  const counts: Counts = { succeeded: 0, errored: 0, canceled: 0, expired: 0 };
  const lines = shuffle(
    resultLines(context.store.readBlob(batch.inputBlob), batch, progress, counts),
  );
  const resultBlob = `results-${batch.id}`;
  await context.store.writeBlob(
    resultBlob,
    jsonLines(context.faults?.resultLines(lines) ?? lines),
  );
  return { counts, resultBlob };
}

async function* resultLines(
  input: ReadableStream<Uint8Array>,
  batch: BatchRecord,
  { carriedOut, others }: Progress,
  counts: Counts,
): AsyncGenerator<JsonObject> {
  const decoder = new TextDecoder();
  let index = 0;
  for await (const line of input.pipeThrough(splitLines({ maxLineBytes }))) {
    // The simulation wrote these lines itself, after it had checked them.
    const request = JSON.parse(decoder.decode(line)) as { custom_id: string; params: JsonObject };
    const result: JsonObject = index < carriedOut
      ? carryOut(request.custom_id, request.params, index, batch)
      : { type: others };
    counts[result.type as keyof Counts]++;
    const { prompt } = conversation(request.params.messages);
    const written = { custom_id: request.custom_id, result };
    yield* Array.from({ length: linesAsked(prompt) }, () => written);
    index++;
  }
}

/** Another order, the same each time: the real API does not keep the order of the requests. */
async function* shuffle(lines: AsyncIterable<JsonObject>): AsyncGenerator<JsonObject> {
  const waiting: JsonObject[] = [];
  let state = 1;
  const any = () => {
    // A linear congruential generator; these constants are those of Numerical Recipes.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return waiting.splice((state >>> 16) % waiting.length, 1);
  };
  for await (const line of lines) {
    waiting.push(line);
    if (waiting.length >= shuffled) yield* any();
  }
  while (waiting.length > 0) yield* any();
}
