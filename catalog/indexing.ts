/** Writing the indexes of what is in the catalog already. */
import { writeExpiry } from "./expiry_index.ts";
import { maxBatch, maxChecks } from "./keys.ts";
import { change } from "./kv.ts";
import { writeIndex } from "./jobs.ts";
import type { JobEntry, ObjectEntry } from "./entries.ts";

type Sleep = (milliseconds: number) => Promise<void>;

/** Writes what lists find jobs by, for every job. */
export async function indexJobs(kv: Deno.Kv, sleep: Sleep): Promise<void> {
  const wanted = kv.list<JobEntry>({ prefix: ["job"] }, { batchSize: maxBatch });
  for await (const some of grouped(wanted, maxChecks)) {
    await change(sleep, async () => {
      const step = kv.atomic();
      // Read again: a gateway may have moved a job on since.
      for (const entry of await kv.getMany<JobEntry[]>(some.map(({ key }) => key))) {
        if (!entry.value) continue;
        const [, tenant, provider] = entry.key as [string, string, string];
        writeIndex(step.check(entry), { tenant, provider }, entry.value);
      }
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }
}

/** Writes by which time files are forgotten by their providers, for every object. */
export async function indexExpiries(kv: Deno.Kv, sleep: Sleep): Promise<void> {
  const objects = kv.list<ObjectEntry>({ prefix: ["object"] }, { batchSize: maxBatch });
  for await (const some of grouped(objects, maxBatch)) {
    await change(sleep, async () => {
      const step = kv.atomic();
      // Without a check: of a file that is gone by now, the row is found to be of no use in time.
      for (const { key, value } of some) writeExpiry(step, key[2] as string, value);
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }
}

/** Items in groups of at most so many. */
export async function* grouped<Item>(
  items: AsyncIterable<Item>,
  size: number,
): AsyncGenerator<Item[]> {
  let group: Item[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
