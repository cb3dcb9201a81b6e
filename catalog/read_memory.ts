/**
 * What was read of the catalog, until it changes: a client that polls, or lists the
 * same page again and again, costs the catalog nothing.
 */
import type { ChangeCounter } from "./change_counter.ts";
import type { CommitWatch } from "./grouped_kv.ts";
import { keyText } from "./key_text.ts";
import { kvOver } from "./kv.ts";

/** What was read, by a name. */
export interface ReadMemory {
  /**
   * Answers with what was read under a name, or reads it. It must come only of the catalog, and
   * its reader must leave it as it is.
   *
   * @param weight How many records it holds.
   * @param of What it comes of: keys, or prefixes of keys.
   */
  remember<Value extends object>(
    name: string,
    weight: (value: Value) => number,
    read: () => Promise<Value>,
    of: readonly Deno.KvKey[],
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

/** A memory that hears of this process's own commits, one at a time. */
export type WatchedMemory = ReadMemory & CommitWatch;

/** Something remembered, or being read to be. */
interface Kept {
  readonly name: string;
  /** What it came of, as texts. */
  readonly of: readonly string[];
  value?: object;
  /** How many records it holds. */
  weight: number;
  /** Whether it was written while it was read. */
  isSpoiled?: boolean;
}

/**
 * Makes a memory that forgets what this process writes, and everything where another one wrote: then
 * the log's counter is another than the commits of this process make it.
 */
export function createReadMemory(counter: Pick<ChangeCounter, "count">): WatchedMemory {
  const kept = new Map<string, Kept>();
  /** What is kept, by what it came of; and how many parts such keys have, by their kind. */
  const byKey = new Map<string, Set<Kept>>();
  const lengths = new Map<unknown, Set<number>>();
  let held = 0;
  let timesForgotten = 0;
  /** What the counter is as long as no other process commits; undefined where that is not known. */
  let expected: number | undefined;
  let underWay = 0;

  function forget(): void {
    timesForgotten++;
    kept.clear();
    byKey.clear();
    lengths.clear();
    held = 0;
  }

  /**
   * Returns whether what is kept is what the catalog holds; where that cannot be said, it is left
   * as it is.
   */
  function holds(): boolean {
    const count = counter.count();
    if (count !== undefined && count === expected) return true;
    // A commit of this process may be on disk already, and not be known to be.
    if (underWay > 0 && expected !== undefined) {
      if (count === undefined || count === after(expected)) return false;
    }
    forget();
    expected = underWay > 0 ? undefined : count;
    return expected !== undefined;
  }

  function begin(name: string, keys: readonly Deno.KvKey[]): Kept {
    const one: Kept = { name, of: keys.map(keyText), weight: 0 };
    for (const [at, text] of one.of.entries()) {
      const key = keys[at] ?? [];
      entryOf(byKey, text).add(one);
      entryOf(lengths, key[0]).add(key.length);
    }
    return one;
  }

  function drop(one: Kept): void {
    one.isSpoiled = true;
    if (kept.get(one.name) === one) {
      kept.delete(one.name);
      held -= one.weight;
    }
    for (const text of one.of) {
      const all = byKey.get(text);
      all?.delete(one);
      if (all?.size === 0) byKey.delete(text);
    }
  }

  return {
    async remember<Value extends object>(
      name: string,
      weight: (value: Value) => number,
      read: () => Promise<Value>,
      of: readonly Deno.KvKey[],
    ): Promise<Value> {
      if (!holds()) return await read();
      const known = kept.get(name)?.value;
      // Only what was put there under this name is.
      if (known) return known as Value;
      const one = begin(name, of);
      const before = timesForgotten;
      try {
        const value = await read();
        if (!holds() || one.isSpoiled || before !== timesForgotten) return value;
        const other = kept.get(name);
        if (other) drop(other);
        one.weight = weight(value);
        held += one.weight;
        one.value = value;
        kept.set(name, one);
        if (held > maxWeight) forget();
        return value;
      } finally {
        if (kept.get(name) !== one) drop(one);
      }
    },
    began() {
      underWay++;
    },
    ended(written) {
      underWay--;
      if (written === undefined) return;
      if (expected !== undefined) expected = after(expected);
      for (const key of written) {
        for (const length of lengths.get(key[0]) ?? []) {
          const all = byKey.get(keyText(key.slice(0, length)));
          for (const one of all ?? []) drop(one);
        }
      }
    },
  };
}

/** The counter after one more commit. */
function after(count: number): number {
  return (count + 1) >>> 0;
}

function entryOf<Key, Member>(map: Map<Key, Set<Member>>, key: Key): Set<Member> {
  const known = map.get(key);
  if (known) return known;
  const made = new Set<Member>();
  map.set(key, made);
  return made;
}

/** Makes a KV that remembers what `get` has read. */
export function rememberReads(kv: Deno.Kv, memory: ReadMemory): Deno.Kv {
  return kvOver(kv, {
    get<Value>(key: Deno.KvKey, options?: { consistency?: Deno.KvConsistencyLevel }) {
      const read = () => kv.get<Value>(key, options);
      if (!asked.has(key[0])) return read();
      return memory.remember(`get ${keyText(key)}`, () => 1, read, [key]);
    },
  });
}
