/**
 * A KV whose reads go together.
 *
 * A read of one key takes a turn of the catalog's thread, which costs more than what is read: ten keys
 * in one turn cost little more than one (measured with Deno 2.9.6). So the keys that are asked for
 * at once, or while a read is under way, are read together: no read waits for a group to fill, each is
 * read after it was asked for, and a single one is read by itself.
 */
import { maxGetMany } from "./keys.ts";
import { kvOver } from "./kv.ts";

/** A read that waits for its turn. */
interface Waiting {
  readonly key: Deno.KvKey;
  readonly settle: (entry: Deno.KvEntryMaybe<never> | Promise<Deno.KvEntryMaybe<never>>) => void;
}

/** Makes a KV that reads what waits in groups; for a catalog in a file of this machine. */
export function groupReads(kv: Deno.Kv): Deno.Kv {
  let waiting: Waiting[] = [];
  let isAtWork = false;

  function get<Value>(key: Deno.KvKey): Promise<Deno.KvEntryMaybe<Value>> {
    const { promise, resolve: settle } = Promise.withResolvers<Deno.KvEntryMaybe<never>>();
    waiting.push({ key, settle });
    if (!isAtWork) {
      isAtWork = true;
      // Behind what else is asked for in the same breath.
      queueMicrotask(work);
    }
    return promise;
  }

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting.slice(0, maxGetMany);
      waiting = waiting.slice(group.length);
      await readTogether(kv, group);
    }
    isAtWork = false;
  }

  return kvOver(kv, { get });
}

/** Reads a group; where that fails, for a key that cannot be read, each is read by itself. */
async function readTogether(kv: Deno.Kv, group: readonly Waiting[]): Promise<void> {
  if (group.length > 1) {
    try {
      const entries = await kv.getMany<never[]>(group.map(({ key }) => key));
      for (const [at, { settle }] of group.entries()) {
        const entry = entries[at];
        if (entry) settle(entry);
      }
      return;
    } catch {
      // Its own read says what is wrong with it.
    }
  }
  for (const { key, settle } of group) {
    const read = readAlone(kv, key);
    settle(read);
    await read.catch(() => {});
  }
}

async function readAlone(kv: Deno.Kv, key: Deno.KvKey): Promise<Deno.KvEntryMaybe<never>> {
  return await kv.get<never>(key);
}
