/**
 * Results of jobs: what is left out of them, the jobs whose results have still to be read, and who is
 * reading them. Results and the end of their job are one step.
 */
import type { FileId, JobId } from "../codecs/ids.ts";
import { isTerminal } from "../codecs/job_status.ts";
import type { Lease } from "../runtime/lease.ts";
import { packSpans, type Span, unpackSpans } from "../codecs/pieces.ts";
import { addEtag, dropEtag } from "./etags.ts";
import { writeExpiry } from "./expiry_index.ts";
import { describe, writeJob } from "./jobs.ts";
import type { Outbox } from "./outbox.ts";
import { keys, maxBatch, type Scope } from "./keys.ts";
import { type Attempt, change } from "./kv.ts";
import { leaseAt } from "./leases.ts";
import { dropName, fileLocation, throwAway } from "./names.ts";
import { recordUse, type Spent } from "./quotas.ts";
import type { FileEntry, JobEntry, JobProgress, ObjectEntry } from "./entries.ts";

/** An object of results to be recorded. */
export interface ResultsObject {
  readonly bucket: string;
  readonly key: string;
  readonly object: ObjectEntry;
}

/** A job whose end, or whose late results, one step records. */
export interface Ending {
  readonly scope: Scope;
  /** As it is recorded. */
  readonly job: JobEntry;
  /** As it was before. */
  readonly old: JobEntry;
}

/**
 * Adds to the step that ends a job what must be recorded with the end, or not at all. It is called for
 * each attempt at the step; results that come late are a second step, with a job that was over.
 *
 * @returns What the job's work came to, where that is known.
 */
export type AtEnd = (
  step: Deno.AtomicOperation,
  ending: Ending,
) => Spent | void | Promise<Spent | void>;

/** The results' part of the catalog. */
export type ResultsCatalog = ReturnType<typeof createResultsCatalog>;

/** Spans are kept in entries of this size, below the limit of a value. */
const chunkBytes = 60_000;

/** Makes the results' part of the catalog. */
export function createResultsCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
  outbox?: Outbox,
) {
  return { cuts, setCuts, forget, lease, end, record, isWaiting, waiting };

  /**
   * Returns what is left out of the parts of results.
   *
   * @param count How many entries hold it.
   */
  async function cuts(provider: string, id: FileId, count: number): Promise<Span[]> {
    const chunks: Uint8Array[] = [];
    for (let n = 0; n < count; n++) {
      const { value } = await kv.get<Uint8Array>(keys.resultsCut(provider, id, n));
      if (value) chunks.push(value);
    }
    const packed = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const chunk of chunks) {
      packed.set(chunk, at);
      at += chunk.length;
    }
    return unpackSpans(packed);
  }

  /** Keeps what is left out of the parts of results that are about to be recorded. */
  async function setCuts(provider: string, id: FileId, spans: readonly Span[]): Promise<number> {
    const packed = packSpans(spans);
    let count = 0;
    for (let at = 0; at < packed.length; at += chunkBytes) {
      const key = keys.resultsCut(provider, id, count++);
      const chunk = packed.slice(at, at + chunkBytes);
      await change(sleep, async () => {
        await kv.set(key, chunk);
        return { done: undefined };
      });
    }
    return count;
  }

  /** Forgets what is left out of results that have no name any more. */
  function forget(provider: string, id: FileId): Promise<void> {
    return change(sleep, async () => {
      const step = kv.atomic();
      await forgetCuts(kv, step, provider, id);
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /** The lease of reading a job's results, or of preparing what it runs. */
  function lease(scope: Scope, id: JobId): Lease {
    return leaseAt(kv, sleep, keys.resultsLease(scope, id));
  }

  /**
   * Ends a job and records its results in one step: no reader sees the one without the others.
   *
   * @param move The job's end, or undefined where it has one already and keeps it.
   * @param atEnd Adds to the step.
   * @returns The job; undefined where there is none.
   */
  function end(
    scope: Scope,
    id: JobId,
    move: (job: JobEntry) => JobProgress | undefined,
    objects: readonly ResultsObject[],
    atEnd: AtEnd = () => {},
  ): Promise<JobEntry | undefined> {
    return change(sleep, async (): Promise<Attempt<JobEntry | undefined>> => {
      const old = await kv.get<JobEntry>(keys.job(scope, id));
      if (!old.value) return { done: undefined };
      const waits = await kv.get(keys.awaitsResults(scope, id));
      // Over KV Connect a step may be applied and still answer "not ok": it was then our own.
      if (isTerminal(old.value.status) && !waits.value) return { done: old.value };
      const progress = move(old.value);
      const job: JobEntry = progress ? { ...describe(old.value), ...progress } : old.value;
      const step = kv.atomic().check(old).check(waits)
        .delete(waits.key)
        .delete(keys.resultsLease(scope, id));
      writeJob(step, scope, job, old.value, outbox);
      for (const one of objects) await write(step, scope, one);
      const spent = await atEnd(step, { scope, job, old: old.value });
      await recordUse(kv, step, scope, job, spent ?? {});
      if (!(await step.commit()).ok) return "again";
      outbox?.committed();
      return { done: job };
    });
  }

  /**
   * Records results of a job that is about to end, where one step cannot hold them all. They are whole,
   * and the end that follows records the last.
   */
  async function record(scope: Scope, objects: readonly ResultsObject[]): Promise<void> {
    for (const one of objects) {
      await change(sleep, async () => {
        const step = kv.atomic();
        await write(step, scope, one);
        return (await step.commit()).ok ? { done: undefined } : "again" as const;
      });
    }
  }

  async function write(
    step: Deno.AtomicOperation,
    scope: Scope,
    { bucket, key, object }: ResultsObject,
  ): Promise<void> {
    const name = { tenant: scope.tenant, bucket, key };
    const owner: FileEntry = { ...name, ...fileLocation(object.held), state: "current" };
    const old = await kv.get<ObjectEntry>(keys.object(scope, bucket, key));
    step.check(old).set(old.key, object)
      .set(keys.file(scope.provider, object.file), owner);
    writeExpiry(step, scope.provider, object);
    dropEtag(step, scope, name, old.value);
    addEtag(step, scope, name, object);
    if (!old.value || old.value.file === object.file) return;
    const loss = await dropName(kv, step, scope.provider, old.value.file, name);
    if (loss === "last") throwAway(step, scope.provider, old.value, name);
  }

  /** Returns whether a job's results have still to be read although it is over. */
  async function isWaiting(scope: Scope, id: JobId): Promise<boolean> {
    return (await kv.get(keys.awaitsResults(scope, id))).value !== null;
  }

  /** The jobs of which that is so, the newest of each provider first. */
  async function* waiting(): AsyncGenerator<{ readonly scope: Scope; readonly id: JobId }> {
    for await (const entry of kv.list({ prefix: keys.allAwaitingResults() }, { reverse: true })) {
      const [, tenant, provider, id] = entry.key as [string, string, string, JobId];
      yield { scope: { tenant, provider }, id };
    }
  }
}

/** Adds to a step what forgets which spans are left out of results. */
export async function forgetCuts(
  kv: Deno.Kv,
  step: Deno.AtomicOperation,
  provider: string,
  id: FileId,
): Promise<void> {
  const chunks = kv.list({ prefix: keys.resultsCuts(provider, id) }, { batchSize: maxBatch });
  for await (const { key } of chunks) step.delete(key);
}
