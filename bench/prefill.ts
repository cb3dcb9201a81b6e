/**
 * A catalog as if it had been in use for long: written through the catalog's own keys and records,
 * but many to a step, before the gateway opens it.
 */
import { anonymousTenant, keys, type Scope } from "../catalog/keys.ts";
import { writeJob } from "../catalog/jobs.ts";
import { openCatalogKv } from "../catalog/open.ts";
import type { FileEntry, JobEntry, ObjectEntry } from "../catalog/entries.ts";
import { batchId, fileId, type JobId, jobId } from "../codecs/ids.ts";
import { timePrefix } from "../codecs/job_id.ts";
import { giga, kilo, mega } from "./lines.ts";

/** How full a catalog is to be. */
export interface PrefillPlan {
  /** Sizes of the buckets `listed-<size>`. */
  readonly buckets: readonly number[];
  readonly jobs: number;
}

/** Where prefilled things are. */
export const scope: Scope = { tenant: anonymousTenant, provider: "openai" };
/** The bucket of the objects that reads are measured on. */
export const readBucket = "to-read";
/** Sizes of these objects, `b<size>`. */
const readSizes: readonly number[] = [kilo, 100 * kilo, 10 * mega, giga];

/** Rows of one step: each of two keys, far below the 800 KB that a step may have. */
const rowsPerStep = 450;
/** Jobs of one step, which may have 1,000 changes: each takes seven or so. */
const jobsPerStep = 100;
const begin = Date.UTC(2026, 5, 1);

/** The id of the nth prefilled job, which is over. */
export function finishedJob(n: number): JobId {
  return jobId(timePrefix(begin + n * 1000) + (n % 36 ** 4).toString(36).padStart(4, "0"));
}

/** Fills the catalog at a path. */
export async function prefill(path: string, { buckets, jobs }: PrefillPlan): Promise<void> {
  const sleep = (milliseconds: number) =>
    new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
  const { kv, close } = await openCatalogKv(path, { sleep, alone: true });
  try {
    for (const bytes of readSizes) {
      await commit(writeObject(kv.atomic(), readBucket, `b${bytes}`, bytes));
    }
    for (const size of buckets) {
      const bucket = `listed-${size}`;
      await inSteps(kv, size, rowsPerStep, (step, n) => writeObject(step, bucket, keyOf(n), kilo));
    }
    await inSteps(kv, jobs, jobsPerStep, (step, n) => writeJob(step, scope, jobOf(n), undefined));
  } finally {
    await close();
  }
}

async function inSteps(
  kv: Deno.Kv,
  count: number,
  perStep: number,
  write: (step: Deno.AtomicOperation, n: number) => void,
): Promise<void> {
  for (let from = 0; from < count; from += perStep) {
    const step = kv.atomic();
    for (let n = from; n < Math.min(count, from + perStep); n++) write(step, n);
    await commit(step);
  }
}

async function commit(step: Deno.AtomicOperation): Promise<void> {
  if (!(await step.commit()).ok) throw new Error("The catalog could not be filled");
}

/** A key as data lakes have them: some 40 characters. */
function keyOf(n: number): string {
  return `batches/2026-11/part-${n.toString().padStart(8, "0")}.jsonl`;
}

function writeObject(
  step: Deno.AtomicOperation,
  bucket: string,
  key: string,
  bytes: number,
): Deno.AtomicOperation {
  const file = fileId(bucket === readBucket ? `file-${key}` : `file-${bucket}${key.slice(21, 29)}`);
  const record: ObjectEntry = {
    file,
    etag: file,
    held: { in: "provider", file, account: "default" },
    bytes,
    modifiedAt: begin,
    contentType: "application/jsonl",
    headers: {},
    metadata: {},
    checksums: { "x-amz-checksum-crc32": "4waSgw==" },
  };
  const owner: FileEntry = {
    tenant: scope.tenant,
    bucket,
    key,
    account: "default",
    state: "current",
  };
  return step.set(keys.object(scope, bucket, key), record).set(keys.file("openai", file), owner);
}

function jobOf(n: number): JobEntry {
  const submittedAt = begin + n * 1000;
  return {
    id: finishedJob(n),
    region: "us-west-2",
    name: `nightly-evaluation-${n}`,
    modelId: "gpt-4o-mini",
    roleArn: "arn:aws:iam::123456789012:role/batch-inference",
    inputDataConfig: {
      s3InputDataConfig: { s3Uri: `s3://team-a/batches/part-${n}.jsonl`, s3InputFormat: "JSONL" },
    },
    outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://team-a/results/" } },
    clientRequestToken: `token-${n}`,
    plan: {
      kind: "direct",
      account: "default",
      batch: batchId(`batch_old${n}`),
      input: fileId(`file-input${n}`),
    },
    submittedAt,
    status: "Completed",
    stopRequested: false,
    modifiedAt: submittedAt + 60_000,
    endedAt: submittedAt + 60_000,
    counts: { total: 1000, processed: 1000, success: 998, error: 2 },
    results: [fileId(`file-output${n}`)],
  };
}
