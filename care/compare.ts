/** Holding the catalog against what its providers have. */
import type { Catalog } from "../catalog/catalog.ts";
import { checkedKv } from "../catalog/checked_kv.ts";
import { maxBatch } from "../catalog/keys.ts";
import type { FileEntry, JobEntry, ObjectEntry } from "../catalog/entries.ts";
import { accountOfJob, batchOf } from "../catalog/plans.ts";
import { Failure } from "../codecs/failure.ts";
import type { BatchId, FileId } from "../codecs/ids.ts";
import { isTerminal } from "../codecs/job_status.ts";
import { allPages } from "../runtime/pages.ts";
import { type ObjectName, parseProviderName } from "../objects/name.ts";
import type { Account, Batch, FilesPort, ProviderFile } from "../providers/provider.ts";

/** What can be wrong between the catalog and a provider, in words for the operator. */
export const differenceKinds = {
  "unreachable": "accounts that could not be asked",
  "missing-account": "accounts that the configuration does not hold",
  "object-without-file": "objects whose file is gone at the provider",
  "unknown-file": "files of ours that the catalog does not know",
  "unknown-batch": "batches of ours that the catalog does not know",
  "unknown-blob": "kept blobs of ours that the catalog does not know",
  "object-without-blob": "objects whose kept blob is gone",
  "blobs-elsewhere": "kept objects that are not in the store that is seen here",
  "job-without-batch": "running jobs whose batch is gone at the provider",
} as const;

/** A kind of difference. */
export type DifferenceKind = keyof typeof differenceKinds;

/** A difference between the catalog and a provider. */
export interface Difference {
  readonly kind: DifferenceKind;
  readonly what: string;
  /** A file that the catalog does not know, and what it was called if its name holds that. */
  readonly file?: ProviderFile & { readonly object?: ObjectName };
  /** What an object is called whose file is gone. */
  readonly object?: ObjectName;
  /** A batch that the catalog does not know. */
  readonly batch?: Batch;
}

/** Dependencies of comparing. */
export interface CompareDeps {
  readonly kv: Deno.Kv;
  readonly catalog: Catalog;
  readonly now: () => number;
}

/** An account, and the provider that it is at. */
export interface ProviderAccount {
  readonly provider: string;
  readonly account: Account;
}

/**
 * All differences between the catalog and an account. Nothing is changed. The ids of the account's
 * files and batches are held in memory, about 100 bytes each.
 */
export async function* compare(
  deps: CompareDeps,
  place: ProviderAccount,
  signal: AbortSignal,
): AsyncGenerator<Difference> {
  try {
    const { files } = place.account;
    if (files) yield* compareFiles(deps, place, files, signal);
    yield* compareBatches(deps, place, signal);
  } catch (error) {
    if (!(error instanceof Failure) || signal.aborted) throw error;
    const what = `account ${place.account.name} of ${place.provider}: ${error.message}`;
    yield { kind: "unreachable", what };
  }
}

async function* compareFiles(
  deps: CompareDeps,
  { provider, account }: ProviderAccount,
  files: FilesPort,
  signal: AbortSignal,
): AsyncGenerator<Difference> {
  const { kv, catalog: { objects, instances }, now } = deps;
  const there = new Set<FileId>();
  for await (const { items } of allPages((cursor) => files.list(cursor, signal))) {
    const ours = items.flatMap((file) => {
      there.add(file.id);
      const name = parseProviderName(file.name);
      return name ? [{ ...file, ...name }] : [];
    });
    const known = await objects.known(provider, ours.map(({ id }) => id));
    const unknown = ours.filter(({ id }) => !known.has(id));
    if (unknown.length === 0) continue;
    // Of a process that the catalog knows of, it may be under way; or it was left behind, and then
    // it is the sweep's to delete, because no client got an answer that it is stored.
    const swept = new Set((await instances.all()).map(({ id }) => id));
    for (const file of unknown) {
      if (swept.has(file.instance) || await objects.file(provider, file.id)) continue;
      yield { kind: "unknown-file", what: `file ${file.id} at ${provider} (${file.name})`, file };
    }
  }
  const rows = checkedKv(kv).list<FileEntry>({ prefix: ["file", provider] }, {
    batchSize: maxBatch,
  });
  for await (const { key: [, , id], value: owner } of rows) {
    const file = owner.id ?? id as FileId;
    // Results are put together here and are not a file of the provider.
    if (owner.in !== undefined) continue;
    if (owner.account !== account.name || there.has(file)) continue;
    if (!await isNamed(file) || !await isGone(() => files.head(file, signal))) continue;
    const { tenant, bucket, key } = owner;
    const what = `object ${bucket}/${key} of ${tenant} at ${provider}, file ${file}`;
    yield { kind: "object-without-file", what, object: { tenant, bucket, key } };
  }

  /** Returns whether an object stands for the file by now, and has not expired. */
  async function isNamed(file: FileId): Promise<boolean> {
    const owner = await objects.file(provider, file);
    if (owner?.state !== "current") return false;
    const { tenant, bucket, key } = owner;
    const record: ObjectEntry | undefined = await objects.get({ tenant, provider }, bucket, key);
    return record?.file === file && (record.expiresAt ?? Infinity) > now();
  }
}

async function* compareBatches(
  { kv, catalog: { jobs, journal, shards }, now }: CompareDeps,
  { provider, account }: ProviderAccount,
  signal: AbortSignal,
): AsyncGenerator<Difference> {
  const there = new Set<BatchId>();
  for await (const { items } of allPages((cursor) => account.batches.list(cursor, signal))) {
    for (const { id } of items) there.add(id);
    const known = await jobs.batches(provider, items.map(({ id }) => id));
    for (const [at, batch] of items.entries()) {
      const { id, jobId } = batch;
      if (known[at] || jobId === undefined || await isUnderWay(batch)) continue;
      // What was under way when the page was looked up may have been recorded since.
      if (await jobs.batch(provider, id)) continue;
      yield { kind: "unknown-batch", what: `batch ${id} at ${provider}, job ${jobId}`, batch };
    }
  }
  for await (const { key, value: job } of checkedKv(kv).list<JobEntry>({ prefix: ["job"] })) {
    const [, tenant, at] = key;
    const batch = batchOf(job);
    if (at !== provider || accountOfJob(job) !== account.name) continue;
    if (batch === undefined || there.has(batch) || isTerminal(job.status)) continue;
    if (!await isGone(() => account.batches.get(batch, signal))) continue;
    const what = `job ${job.id} of ${String(tenant)} at ${provider}, batch ${batch}`;
    yield { kind: "job-without-batch", what };
  }

  async function isUnderWay(batch: Batch): Promise<boolean> {
    const { jobId } = batch;
    for await (const { scope, entry } of journal.entries()) {
      if (scope.provider !== provider || entry.job.id !== jobId) continue;
      // What no process is at any more is a job that was not recorded.
      if (entry.leaseUntil > now()) return true;
    }
    for await (const { job } of shards.asking(provider)) if (job === jobId) return true;
    return await shards.isOfRunning(batch);
  }
}

/** Returns whether the provider says that there is no such thing; lists may lag behind. */
async function isGone(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask();
    return false;
  } catch (error) {
    if (error instanceof Failure && error.kind === "not-found") return true;
    throw error;
  }
}
