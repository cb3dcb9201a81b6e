/** Catalogs for tests. */
import { type Catalog, createCatalog } from "../../catalog/catalog.ts";
import { groupCommits } from "../../catalog/grouped_kv.ts";
import type { Scope } from "../../catalog/keys.ts";
import { openKv } from "../../catalog/kv.ts";
import { limitKv } from "../../catalog/limited_kv.ts";
import { defaultLimits } from "../../catalog/location.ts";
import type { JobEntry, JournalEntry, ObjectEntry } from "../../catalog/entries.ts";
import type { BegunPlan } from "../../catalog/plan.ts";
import { accountOfJob, batchOf, inputOf, isNative } from "../../catalog/plans.ts";
import { type BatchId, batchId, type FileId, fileId, type JobId } from "../../codecs/ids.ts";
import { newJobId } from "../../codecs/job_id.ts";

/** An open catalog. */
export interface OpenCatalog extends Disposable {
  readonly kv: Deno.Kv;
  readonly catalog: Catalog;
}

/** Waits so many milliseconds. */
export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The server that catalogs are at in this test file, in the place of memory and files. */
let server: { readonly url: string; path?: string } | undefined;

/** From now on {@linkcode openCatalog} opens what is at this server. */
export function useServer(url: string): void {
  server = { url };
}

/** Opens a catalog in memory, or in a file; or an empty one at the server, one for each path. */
export async function openCatalog(path = ":memory:"): Promise<OpenCatalog> {
  const kv = server ? await openAt(server, path) : groupCommits(await openKv(path));
  return {
    kv,
    catalog: createCatalog(kv, sleep),
    [Symbol.dispose]: () => kv.close(),
  };
}

async function openAt(at: NonNullable<typeof server>, path: string): Promise<Deno.Kv> {
  const kv = limitKv(await Deno.openKv(at.url), defaultLimits);
  if (path !== at.path || path === ":memory:") await empty(kv);
  at.path = path;
  return kv;
}

async function empty(kv: Deno.Kv): Promise<void> {
  const found = await all(kv.list({ prefix: [] }, { batchSize: 500 }));
  for (let at = 0; at < found.length; at += 500) {
    const step = kv.atomic();
    for (const { key } of found.slice(at, at + 500)) step.delete(key);
    await step.commit();
  }
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Whose things these are. */
export const scope: Scope = { tenant: "default", provider: "cloud" };

/** An object of this file. */
export function objectRecord(file: string, more: Partial<ObjectEntry> = {}): ObjectEntry {
  return {
    file: fileId(file),
    etag: file,
    held: { in: "provider", file: fileId(file), account: "main" },
    bytes: 5,
    modifiedAt: 1_000,
    contentType: "application/jsonl",
    headers: {},
    metadata: {},
    checksums: {},
    ...more,
  };
}

/** What the plan of a job is made of. */
interface Single {
  readonly account: string;
  readonly batch: BatchId;
  readonly file: FileId;
  readonly native: boolean;
}

/** A job that was submitted at a time. */
export function jobRecord(
  submittedAt: number,
  { account = "main", batch, file, native, ...more }: Partial<JobEntry & Single> = {},
): JobEntry {
  const id = newJobId(
    submittedAt,
    (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
  );
  return {
    id,
    region: "us-west-2",
    name: `job-${submittedAt}`,
    modelId: "model",
    roleArn: "none",
    inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://bucket/in.jsonl" } },
    outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://bucket/out/" } },
    plan: {
      kind: native ? "native" : "direct",
      account,
      batch: batch ?? batchId(`batch_${id}`),
      input: file ?? fileId("file-in"),
    },
    submittedAt,
    status: "InProgress",
    stopRequested: false,
    modifiedAt: submittedAt,
    results: [],
    ...more,
  };
}

/** A create under way of a job. */
export function journalRecord(
  job: JobEntry,
  more: Partial<JournalEntry> = {},
): JournalEntry {
  const { plan, status: _1, stopRequested: _2, modifiedAt: _3, results: _4, ...description } = job;
  const account = accountOfJob(job) ?? "main";
  const begun: BegunPlan = plan.kind === "sharded"
    ? plan
    : { kind: "direct", account, input: inputOf(job) ?? fileId("file-in") };
  return {
    job: { ...description, plan: begun },
    askedAt: 0,
    owner: "one",
    leaseUntil: 100,
    ...more,
  };
}

/** The batch that runs a job. */
export function batchIdOf(job: JobEntry): BatchId {
  const batch = batchOf(job);
  if (batch === undefined) throw new Error(`The job ${job.id} is of shards`);
  return batch;
}

/** A job and what its plan is made of, side by side. */
export function flat(job: JobEntry): JobEntry & Omit<Single, "file"> & { file?: FileId } {
  const file = inputOf(job);
  return {
    ...job,
    batch: batchIdOf(job),
    account: accountOfJob(job) ?? "",
    native: isNative(job),
    ...(file !== undefined && { file }),
  };
}

/** All of a list. */
export async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Ids of jobs. */
export const idsOf = (jobs: readonly JobEntry[]): JobId[] => jobs.map(({ id }) => id);
