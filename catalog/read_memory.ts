/**
 * What was read of the catalog, until it changes: a client that polls, or lists the
 * same page again and again, costs the catalog nothing.
 */
import type { ChangeMark } from "./change_mark.ts";
import { keyText } from "./key_text.ts";
import { kvOver } from "./kv.ts";

/** What was read, by a name. */
export interface ReadMemory {
  /**
   * Answers with what was read under a name, or reads it. It must come only of the catalog, and
   * its reader must leave it as it is.
   *
   * @param weight How many records it holds.
   */
  remember<Value extends object>(
    name: string,
    weight: (value: Value) => number,
    read: () => Promise<Value>,
  ): Promise<Value>;
}

/** Remembers nothing: for a catalog whose changes cannot be seen. */
export const noMemory: ReadMemory = { remember: (_name, _weight, read) => read() };

/** Records that are remembered; past it everything is let go. */
const maxWeight = 10_000;
/** What `get` remembers: records that are asked for again and again, a kilobyte or less each. */
const asked: ReadonlySet<unknown> = new Set([
  "object",
  "bucket",
  "job",
  "credential",
  "credentials-version",
]);

/** Makes a memory that holds for as long as the mark says the same. */
export function createReadMemory(mark: Pick<ChangeMark, "now">): ReadMemory {
  const kept = new Map<string, object>();
  let held = 0;
  let at: number | undefined;

  function forget(): void {
    kept.clear();
    held = 0;
  }

  return {
    remember<Value extends object>(
      name: string,
      weight: (value: Value) => number,
      read: () => Promise<Value>,
    ): Promise<Value> {
      const now = mark.now();
      if (now !== at) forget();
      at = now;
      const known = kept.get(name);
      // Only what was put there under this name is.
      if (known) return Promise.resolve(known as Value);
      return read().then((value) => {
        // What was changed since the look above is another mark's.
        if (at !== now) return value;
        held += weight(value);
        if (held > maxWeight) forget();
        kept.set(name, value);
        return value;
      });
    },
  };
}

/** Makes a KV that remembers what `get` has read. */
export function rememberReads(kv: Deno.Kv, memory: ReadMemory): Deno.Kv {
  return kvOver(kv, {
    get<Value>(key: Deno.KvKey, options?: { consistency?: Deno.KvConsistencyLevel }) {
      const read = () => kv.get<Value>(key, options);
      if (!asked.has(key[0])) return read();
      return memory.remember(`get ${keyText(key)}`, () => 1, read);
    },
  });
}
