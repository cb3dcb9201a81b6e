/** Holding the catalog to its rules, and putting right what they find. */
import { checkedKv } from "../catalog/checked_kv.ts";
import { judgeEntry } from "../catalog/entry_kinds.ts";
import { keyWords } from "../catalog/key_text.ts";
import { keys, maxBatch } from "../catalog/keys.ts";
import { change } from "../catalog/kv.ts";
import type { JobId } from "../codecs/ids.ts";
import { grouped } from "../catalog/indexing.ts";
import { quotaRules } from "./quota_rules.ts";
import { type Rule, rules, type Verdict } from "./rules.ts";

/** Something that is wrong within the catalog. */
export interface Finding extends Omit<Verdict, "mend"> {
  /** Puts it right if it is still as it was found; absent where the catalog does not show how. */
  readonly mend?: () => Promise<boolean>;
}

type Sleep = (milliseconds: number) => Promise<void>;

/** Entries that are looked at at once: more only wait for one another. */
const atOnce = 16;

/**
 * Everything that is wrong within the catalog. Nothing is changed; memory does not grow with it.
 */
export async function* examine(raw: Deno.Kv, sleep: Sleep): AsyncGenerator<Finding> {
  yield* wrongEntries(raw);
  // As gateways see it: what is set aside is not there.
  const kv = checkedKv(raw);
  for (const rule of [...rules, ...quotaRules]) {
    const entries = kv.list({ prefix: rule.prefix }, { batchSize: maxBatch });
    for await (const some of grouped(entries, atOnce)) {
      const found = await Promise.all(some.map(({ key }) => look(kv, sleep, rule, key)));
      for (const finding of found) if (finding) yield finding;
    }
  }
  yield* strayUses(kv, sleep);
}

/** Entries that gateways set aside; what they were is not known. */
async function* wrongEntries(kv: Deno.Kv): AsyncGenerator<Finding> {
  for await (const { key, value } of kv.list({ prefix: [] }, { batchSize: maxBatch })) {
    const verdict = judgeEntry(key, value);
    if (verdict === "right") continue;
    const kind = verdict === "unknown" ? "unknown-entry" : "wrong-entry";
    yield { kind, what: `entry ${keyWords(key)}` };
  }
}

async function look(
  kv: Deno.Kv,
  sleep: Sleep,
  rule: Rule,
  key: Deno.KvKey,
): Promise<Finding | undefined> {
  const first = await kv.get(key);
  if (first.versionstamp === null || first.value === null) return undefined;
  const snapshot: Deno.KvEntryMaybe<unknown>[] = await kv.getMany<unknown[]>([
    key,
    ...rule.related(first),
  ]);
  const [entry, ...related] = snapshot;
  // What belongs to it was found by what it was: if it has changed, a process is at work on it.
  if (!entry || entry.versionstamp !== first.versionstamp) return undefined;
  const verdict = rule.judge(first, related.map(({ value }) => value));
  if (!verdict) return undefined;
  // What is set aside is there all the same: nothing is thrown away because of it.
  const isDamaged = related.some(({ versionstamp, value }) =>
    versionstamp !== null && value === null
  );
  if (isDamaged && isStray(verdict)) return undefined;
  return findingOf(kv, sleep, verdict, snapshot);
}

/** Returns whether the only way to put it right is to remove it. */
function isStray({ kind }: Verdict): boolean {
  return kind.startsWith("stray-");
}

function findingOf(
  kv: Deno.Kv,
  sleep: Sleep,
  { mend, ...found }: Verdict,
  checked: readonly Deno.KvEntryMaybe<unknown>[],
): Finding {
  if (!mend) return found;
  return {
    ...found,
    mend() {
      return change(sleep, async () => {
        const step = kv.atomic().check(...checked);
        mend(step);
        // Not again: what was found is no more as it was.
        return { done: (await step.commit()).ok };
      });
    },
  };
}

/** Files that are held for jobs that do not run: their keys do not hold whose jobs these are. */
async function* strayUses(kv: Deno.Kv, sleep: Sleep): AsyncGenerator<Finding> {
  const held = await holders(kv);
  for await (const { key } of kv.list({ prefix: ["use"] }, { batchSize: maxBatch })) {
    const [, provider, file, id] = key as [string, string, string, JobId];
    if (held.has(id)) continue;
    // It may have begun since, and be over by now.
    if ((await holders(kv)).has(id)) continue;
    const entry = await kv.get(key);
    if (entry.versionstamp === null) continue;
    const what = `file ${file} at ${provider}, for job ${id}`;
    const mend = (step: Deno.AtomicOperation) => void step.delete(key);
    yield findingOf(kv, sleep, { kind: "stray-use", what, mend }, [entry]);
  }
}

/**
 * The jobs that run, are being created, or have left something. By their ids: a job may hold files of
 * other providers than its own.
 */
async function holders(kv: Deno.Kv): Promise<Set<string>> {
  const held = new Set<string>();
  // In this order, which is that of a job's life: none slips from the one to the other unseen.
  for (const prefix of [keys.everyUnreleased(), keys.journal(), keys.running()]) {
    for await (const { key } of kv.list({ prefix }, { batchSize: maxBatch })) {
      held.add(String(key[3]));
    }
  }
  return held;
}
