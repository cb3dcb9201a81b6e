/**
 * A KV whose readers meet no entry that is not of its kind's form: a damaged one, or one of another
 * program, is set aside where it is read, and takes nothing else with it.
 */
import { calledAs } from "../runtime/program_name.ts";
import { judgeEntry, standInFor } from "./entry_kinds.ts";
import { keyWords } from "./key_text.ts";
import { maxBatch } from "./keys.ts";
import { kvOver } from "./kv.ts";

/** Entries that are logged one by one. */
const maxReported = 100;

/**
 * Makes such a KV. An entry that is set aside has no value; its version stays, so that a step which
 * checks it may write another in its place.
 *
 * @param warn Called for each once, as long as there are few.
 */
export function checkedKv(kv: Deno.Kv, warn: (message: string) => void = () => {}): Deno.Kv {
  const reported = new Set<string>();

  function note(key: Deno.KvKey): void {
    const name = keyWords(key);
    if (reported.has(name) || reported.size > maxReported) return;
    reported.add(name);
    const advice = `\`${calledAs("catalog check")}\` lists all that are wrong`;
    warn(
      reported.size > maxReported
        ? `More than ${maxReported} entries of the catalog were set aside: ${advice}`
        : `An entry of the catalog is not as it should be, and was set aside: ${name}. ${advice}`,
    );
  }

  function looked<Value>(entry: Deno.KvEntryMaybe<Value>): Deno.KvEntryMaybe<Value> {
    const { key, versionstamp } = entry;
    if (versionstamp === null || isFit(entry)) return entry;
    note(key);
    // No type can say that the value of this kind's stand-in is one of the kind.
    return { key, versionstamp, value: standInFor(key) } as Deno.KvEntryMaybe<Value>;
  }

  function listed<Value>(
    selector: Deno.KvListSelector,
    { limit = Infinity, ...options }: Deno.KvListOptions,
  ): Deno.KvListIterator<Value> {
    // What is set aside is not part of a page: of fewer than were asked for, others make it the last.
    const batchSize = options.batchSize ??
      (limit === Infinity ? undefined : Math.max(1, Math.min(limit, maxBatch)));
    let left = limit;
    const entries = kv.list<Value>(selector, { ...options, ...(batchSize && { batchSize }) });
    return {
      get cursor() {
        return entries.cursor;
      },
      async next(): Promise<IteratorResult<Deno.KvEntry<Value>, undefined>> {
        while (left > 0) {
          const found = await entries.next();
          if (found.done) return found;
          const entry = looked<Value>(found.value);
          if (entry.versionstamp === null || entry.value === null) continue;
          left--;
          return { done: false, value: entry };
        }
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  return kvOver(kv, {
    async get<Value>(key: Deno.KvKey, options?: { consistency?: Deno.KvConsistencyLevel }) {
      return looked<Value>(await kv.get<Value>(key, options));
    },
    async getMany<Values extends readonly unknown[]>(
      keys: readonly [...{ [K in keyof Values]: Deno.KvKey }],
      options?: { consistency?: Deno.KvConsistencyLevel },
    ) {
      const entries = await kv.getMany<Values>(keys, options);
      return entries.map((entry) => looked(entry)) as typeof entries;
    },
    list: <Value>(selector: Deno.KvListSelector, options: Deno.KvListOptions = {}) =>
      listed<Value>(selector, options),
  });
}

/** Kinds that this version does not know are another's to judge. */
function isFit({ key, value }: Deno.KvEntryMaybe<unknown>): boolean {
  const verdict = judgeEntry(key, value);
  return verdict === "right" || verdict === "unknown";
}
