/**
 * From schema 2 to schema 3: what was flat, and seen from the spelling of an id, becomes unions. Each
 * object holds where its bytes are (`held`) and its ETag; what results are put together from moves
 * from an entry of their own into that of the object. Each job holds how it runs (`plan`).
 *
 * An entry is written only where it is still as it was read, and an entry of the new form is passed
 * by: so the migration may be cut short, begun again, and done by several gateways at once.
 */
import * as v from "valibot";
import { resultsEtag } from "../codecs/etag.ts";
import { batchId, blobName, fileId } from "../codecs/ids.ts";
import { isResultsId, resultsDigest } from "../codecs/results_id.ts";
import { etagKey } from "./etags.ts";
import type { FileEntry, ObjectEntry } from "./entries.ts";
import type { Held } from "./held.ts";
import { fitsKind } from "./entry_kinds.ts";
import { grouped } from "./indexing.ts";
import { keys, maxBatch, maxChecks } from "./keys.ts";
import { change } from "./kv.ts";
import { fileLocation } from "./names.ts";

type Sleep = (milliseconds: number) => Promise<void>;

/** One kind of entry, and how it gets its new form. */
interface Pass {
  readonly prefix: Deno.KvKey;
  /** In the log. */
  readonly what: string;
  /** Whether a value has an older form. */
  readonly isOld: (value: unknown) => boolean;
  /** The key of an entry that is read with it; undefined where it needs none. */
  readonly related?: (entry: Deno.KvEntry<unknown>) => Deno.KvKey | undefined;
  /** Adds the new form to a step that checks the entry; leaves what it cannot read as it is. */
  readonly write: (
    step: Deno.AtomicOperation,
    entry: Deno.KvEntry<unknown>,
    related: unknown,
  ) => void;
}

const OldObject = v.looseObject({
  file: v.string(),
  account: v.string(),
  etag: v.optional(v.string()),
});

const OldCompleted = v.looseObject({ record: OldObject, provider: v.string() });

const OldTrash = v.looseObject({ id: v.optional(v.string()), account: v.string() });

const OldJob = v.looseObject({
  account: v.string(),
  batch: v.string(),
  native: v.boolean(),
  file: v.optional(v.string()),
});

const OldJournal = v.looseObject({
  job: v.looseObject({ account: v.string(), native: v.boolean(), file: v.string() }),
});

const OldResults = v.object({
  text: v.optional(v.string()),
  batch: v.string(),
  parts: v.array(v.object({ name: v.string(), bytes: v.number(), lineFeed: v.boolean() })),
  cutChunks: v.number(),
  kept: v.optional(v.string()),
});

const passes: readonly Pass[] = [
  {
    prefix: ["object"],
    what: "objects",
    isOld: (value) => v.is(OldObject, value) && !("held" in value),
    related: ({ key, value }) =>
      v.is(OldObject, value) ? resultsKey(key[2], value.file) : undefined,
    write(step, { key: at, value }, results) {
      const record = objectOf(value, results);
      if (!record) return;
      step.set(at, record);
      const [, tenant, provider, bucket, key] = at;
      if (typeof tenant !== "string" || typeof provider !== "string") return;
      if (typeof bucket !== "string" || !(key instanceof Uint8Array)) return;
      const name = { bucket, key: new TextDecoder().decode(key) };
      // Objects of results were not always found by their ETag.
      const index = etagKey({ tenant, provider }, name, record);
      if (index) step.set(index, true);
    },
  },
  {
    prefix: keys.allCompleted(),
    what: "completed uploads",
    isOld: (value) => v.is(OldCompleted, value) && !("held" in value.record),
    write(step, { key, value }) {
      if (!v.is(OldCompleted, value)) return;
      const record = objectOf(value.record, undefined);
      if (record) step.set(key, { ...value, record });
    },
  },
  {
    prefix: ["job"],
    what: "jobs",
    isOld: (value) => v.is(OldJob, value) && !("plan" in value),
    write(step, { key, value }) {
      if (!v.is(OldJob, value)) return;
      const { account, batch, native, file, ...rest } = value;
      const kind = native ? "native" : "direct";
      const input = file !== undefined && { input: file };
      step.set(key, { ...rest, plan: { kind, account, batch, ...input } });
    },
  },
  {
    prefix: keys.journal(),
    what: "creates under way",
    isOld: (value) => v.is(OldJournal, value) && !("plan" in value.job),
    write(step, { key, value }) {
      if (!v.is(OldJournal, value)) return;
      const { account, file: input, native: _, ...job } = value.job;
      step.set(key, { ...value, job: { ...job, plan: { kind: "direct", account, input } } });
    },
  },
  {
    prefix: keys.trash(),
    what: "files in the trash",
    isOld: (value) => v.is(OldTrash, value) && !("held" in value),
    related: ({ key }) => resultsKey(key[1], key[2]),
    write(step, { key, value }, results) {
      if (!v.is(OldTrash, value)) return;
      const { account, ...rest } = value;
      const file = value.id ?? String(key[2]);
      // Of results that nothing is known of, only spans that are left out can be there.
      const unknown = { in: "batch", batch: "", account, parts: [], cutChunks: 0 } as const;
      step.set(key, { ...rest, held: heldOf(file, account, results) ?? unknown });
    },
  },
  // Last, for the others read them: results' own entries, which go.
  {
    prefix: ["results"],
    what: "results",
    isOld: () => true,
    related: ({ key }) => ["file", key[1] ?? "", key[2] ?? ""],
    write(step, { key, value }, owner) {
      step.delete(key);
      if (!isFile(owner)) return;
      const { account = "", ...rest } = owner;
      const held = heldOf(String(key[2]), account, value);
      if (held) step.set(["file", key[1] ?? "", key[2] ?? ""], { ...rest, ...fileLocation(held) });
    },
  },
];

/** Steps that are under way at once: SQLite writes them together. */
const stepsAtOnce = 16;
/** After so many entries of a kind the log says how far it is. */
const reportEach = 100_000;

/**
 * Gives every entry the form of schema 3.
 *
 * @param report Receives how far it is, where there is much to do.
 */
export async function upgradeTo3(
  kv: Deno.Kv,
  sleep: Sleep,
  report: (message: string) => void,
): Promise<void> {
  for (const pass of passes) {
    let count = 0;
    const old = filtered(
      kv.list<unknown>({ prefix: pass.prefix }, { batchSize: maxBatch }),
      ({ value }) => {
        if (++count % reportEach === 0) {
          report(`Schema 3: ${count.toLocaleString("en-US")} ${pass.what} so far`);
        }
        return pass.isOld(value);
      },
    );
    for await (const groups of grouped(grouped(old, maxChecks), stepsAtOnce)) {
      await Promise.all(groups.map((entries) => upgrade(kv, sleep, pass, entries)));
    }
  }
}

function upgrade(
  kv: Deno.Kv,
  sleep: Sleep,
  { isOld, related, write }: Pass,
  entries: readonly Deno.KvEntry<unknown>[],
): Promise<void> {
  let wanted = entries;
  return change(sleep, async () => {
    const others = wanted.map((entry) => related?.(entry));
    const asked = others.filter((key) => key !== undefined);
    const found = asked.length > 0 ? await kv.getMany<unknown[]>(asked) : [];
    const step = kv.atomic();
    for (const [at, entry] of wanted.entries()) {
      const other = others[at];
      write(step.check(entry), entry, other && found[asked.indexOf(other)]?.value);
    }
    if ((await step.commit()).ok) return { done: undefined };
    // Another gateway was faster with one of them.
    const again = await kv.getMany<unknown[]>(entries.map(({ key }) => key));
    wanted = again.flatMap((entry) =>
      entry.versionstamp !== null && isOld(entry.value) ? [entry] : []
    );
    return wanted.length === 0 ? { done: undefined } : "again";
  });
}

async function* filtered<Item>(
  items: AsyncIterable<Item>,
  accepts: (item: Item) => boolean,
): AsyncGenerator<Item> {
  for await (const item of items) if (accepts(item)) yield item;
}

/**
 * Returns the key at which schema 2 kept what an object is put together from; undefined for an
 * object of a provider file.
 */
function resultsKey(provider: unknown, file: unknown): Deno.KvKey | undefined {
  return typeof file === "string" && isResultsId(file)
    ? ["results", String(provider), file]
    : undefined;
}

/** The new form of an object; undefined where what it was put together from is not there. */
function objectOf(value: unknown, results: unknown): ObjectEntry | undefined {
  if (!v.is(OldObject, value)) return undefined;
  const { account, ...rest } = value;
  const held = heldOf(value.file, account, results);
  if (!held) return undefined;
  const digest = resultsDigest(value.file);
  const etag = value.etag ?? (digest === undefined ? value.file : resultsEtag(digest));
  const record: unknown = { ...rest, etag, held };
  return isObject(record) ? record : undefined;
}

function heldOf(file: string, account: string, results: unknown): Held | undefined {
  if (!isResultsId(file)) return { in: "provider", file: fileId(file), account };
  if (!v.is(OldResults, results)) return undefined;
  const { text, kept, batch, parts, cutChunks } = results;
  if (text !== undefined) return { in: "catalog", text };
  if (kept !== undefined) return { in: "store", blob: blobName(kept) };
  return { in: "batch", batch: batchId(batch), account, parts, cutChunks };
}

function isObject(value: unknown): value is ObjectEntry {
  return fitsKind("object", value);
}

function isFile(value: unknown): value is FileEntry {
  return fitsKind("file", value);
}
