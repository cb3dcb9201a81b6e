/** Whether a job's results are where a user of Bedrock looks for them, and whole. */
import assert from "node:assert/strict";
import { createClient } from "../jobs/wire.ts";
import type { Model } from "./model.ts";

/** What reads objects: `path` is below S3's mount, such as `/bucket?list-type=2`. */
export interface ResultReader {
  /** The text that S3 answers; throws where it refuses. */
  read(path: string): Promise<string>;
}

/** A job that is over, and where its results must be. */
export interface FinishedJob {
  /** The twelve characters at the end of its ARN. */
  readonly id: string;
  readonly bucket: string;
  /** Of the output URI: empty, or with a slash at its end. */
  readonly prefix: string;
  /** The last segment of the input's URI. */
  readonly inputName: string;
  /** Records of its input. */
  readonly records: number;
  /**
   * How many of them were run; fewer than all of a job that was stopped. Providers also tell of those
   * that were not, or of none at all.
   */
  readonly processed: number;
}

/**
 * Throws unless `<prefix><id>/<input>.out` holds a line for every record that was run,
 * `manifest.json.out` counts them, and the list shows both with the sizes that they have. Where none
 * was run, the manifest alone may be there.
 */
export async function assertResults(reader: ResultReader, job: FinishedJob): Promise<void> {
  const { id, bucket, prefix, inputName, records, processed } = job;
  const folder = `${prefix}${id}/`;
  const listed = await reader.read(`/${bucket}?list-type=2&prefix=${encodeURIComponent(folder)}`);
  const output = `${folder}${inputName}.out`;
  const isThere = processed > 0 || listed.includes(`<Key>${output}</Key>`);
  const names = [`${folder}manifest.json.out`, ...(isThere ? [output] : [])];
  const texts = await Promise.all(names.map((name) => reader.read(`/${bucket}/${name}`)));
  for (const [at, name] of names.entries()) {
    const entry = listed.split("<Contents>").find((one) => one.includes(`<Key>${name}</Key>`));
    assert.ok(entry, `${name} is not listed`);
    const size = new TextEncoder().encode(texts[at]).length;
    assert.equal(/<Size>(\d+)<\/Size>/.exec(entry)?.[1], `${size}`, `the size of ${name}`);
  }
  const [manifest = "{}", out = ""] = texts;
  const lines = out.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  const isEnough = lines.length >= processed && lines.length <= records;
  assert.ok(isEnough, `the records of ${id}: ${lines.length} of ${processed} to ${records}`);
  const ids = lines.map((line) => line.recordId ?? line.custom_id ?? line.key);
  assert.equal(new Set(ids).size, lines.length, `a record of ${id} came twice`);
  const { totalRecordCount, processedRecordCount } = JSON.parse(manifest);
  assert.deepEqual(
    [totalRecordCount, processedRecordCount],
    [records, processed],
    `the manifest of ${id}`,
  );
}

/** Reads through a gateway. */
export function readerOf(url: string, provider: string): ResultReader {
  return {
    async read(path) {
      const answer = await createClient(url, provider).send(`/bedrock/files${path}`);
      const text = await answer.text();
      assert.equal(answer.status, 200, `${path}: ${text}`);
      return text;
    },
  };
}

/** Looks at the results of every job that was acknowledged and is over; what is wrong with them. */
export async function checkResults(url: string, { creates }: Model): Promise<string[]> {
  const wrong: string[] = [];
  for (const { provider, arn, isRemade } of creates) {
    if (arn === undefined || isRemade) continue;
    const job = await createClient(url, provider).get(arn);
    const { s3InputDataConfig: { s3Uri } } = job["inputDataConfig"] as {
      s3InputDataConfig: { s3Uri: string };
    };
    const finished: FinishedJob = {
      id: arn.slice(-12),
      bucket: "out",
      prefix: "",
      inputName: s3Uri.split("/").at(-1) ?? "",
      records: Number(job["totalRecordCount"]),
      processed: Number(job["processedRecordCount"]),
    };
    try {
      await assertResults(readerOf(url, provider), finished);
    } catch (error) {
      wrong.push(`the results of ${job["jobName"]} (${job.status}): ${error}`);
    }
  }
  return wrong;
}
