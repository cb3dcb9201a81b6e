/**
 * Jobs of many records through kills of their gateways. `TEST_RECORDS=1000000` runs them at full size,
 * beside one of a tenth, compares the memory and prints it: some minutes, and 3 GB of disk.
 */
import assert from "node:assert/strict";
import { print } from "../../../program.ts";
import {
  eventually,
  heldSeconds,
  type LargeJob,
  type LargeTarget,
  withLargeJob,
} from "./many_records.ts";

const asked = Deno.env.get("TEST_RECORDS");
const records = Number(asked ?? 2_000);

const targets: readonly LargeTarget[] = [
  {
    provider: "openai",
    modelId: "gpt-4o-mini",
    shards: 20,
    running: 8,
    create: /^\/batches$/,
    upload: /^\/files$/,
    poll: /^\/batches\/[^/]+$/,
    results: /^\/files\/[^/]+\/content$/,
  },
  {
    provider: "gemini",
    modelId: "gemini-2.5-flash",
    shards: 2,
    running: 2,
    create: /:batchGenerateContent$/,
    upload: /^\/upload\/v1beta\/files$/,
    poll: /^\/v1beta\/batches\/[^/]+$/,
    results: /:download$/,
  },
];

/** Kills gateways while the input is read, and shards are cut, uploaded and asked for. */
async function killBeforeItRuns(job: LargeJob, target: LargeTarget): Promise<void> {
  const { provider, upload, create, shards } = target;
  await job.killOnce("the input is being read", () => job.isHeld(/in\.jsonl$/));
  await job.get();
  await job.killOnce("the shards are being cut", () => job.hasCut());
  const passes = Math.min(shards - 1, 3);
  const path = upload.source;
  await job.fault({ provider, method: "POST", path, passes, latencySeconds: heldSeconds });
  await job.get();
  await job.killOnce("a shard is being uploaded", () => job.isHeld(upload));
  const once = { provider, method: "POST", passes: 1, delayAfterSeconds: heldSeconds } as const;
  await job.fault({ ...once, path: create.source });
  await job.get();
  await job.killOnce("a batch was made, and its answer is held", () => job.isHeld(create));
}

/** Runs all batches, some at a time; what is asked meanwhile is asked of those that run. */
async function countPolls(job: LargeJob, { poll, shards, running }: LargeTarget): Promise<void> {
  const asks = async () => {
    const before = await job.calls("GET", poll);
    const { status } = await job.get();
    assert.doesNotMatch(status, /Failed|Completed/);
    return await job.calls("GET", poll) - before;
  };
  for (let done = 0; done < shards; done += running) {
    const now = Math.min(running, shards - done);
    await eventually(`${now} batches are asked for`, async () => {
      const asked = await asks();
      const made = (await job.batches()).length;
      assert.ok(asked <= now, `a poll asked ${asked} times where ${now} batches run`);
      return made === done + now && asked === now;
    });
    for (let n = 0; n < 3; n++) assert.equal(await asks(), now);
    await job.finish();
    // The last ones end with the job.
    if (done + now < shards) await job.get();
  }
}

async function killAtItsEnd(job: LargeJob, target: LargeTarget): Promise<void> {
  const { provider, results, poll, shards } = target;
  const passes = Math.floor(shards / 2);
  const path = results.source;
  await job.fault({ provider, method: "GET", path, passes, latencySeconds: heldSeconds });
  await job.get();
  await job.killOnce("the results are being gathered", () => job.isHeld(results));
  await eventually("the job ends", async () => (await job.get()).status !== "InProgress");
  const before = await job.calls("GET", poll);
  await job.get();
  assert.equal(await job.calls("GET", poll), before);
}

async function checkPaidOnce(job: LargeJob, target: LargeTarget, records: number): Promise<void> {
  const batches = await job.batches();
  assert.equal(batches.length, target.shards);
  assert.equal(new Set(batches.map(({ shard }) => shard)).size, target.shards);
  assert.ok(batches.every((batch) => batch.job === job.id && batch.isOver));
  const sum = (count: (batch: typeof batches[number]) => number) =>
    batches.reduce((total, batch) => total + count(batch), 0);
  assert.deepEqual([sum(({ total }) => total), sum(({ success }) => success)], [records, records]);
  const [used, ...others] = await job.usage();
  assert.deepEqual(others, []);
  assert.deepEqual([used?.["jobs"], used?.["succeeded"], used?.["failed"]], [1, records, 0]);
}

/** Runs a job; the peak memory of each of its gateways, in bytes. */
async function run(target: LargeTarget, records: number): Promise<readonly number[]> {
  let peaks: readonly number[] = [];
  await withLargeJob(target, records, async (job) => {
    await killBeforeItRuns(job, target);
    await countPolls(job, target);
    await killAtItsEnd(job, target);
    const { status, message, ...counts } = await job.get();
    assert.equal(status, "Completed", message ?? "");
    assert.equal(counts.successRecordCount, records);
    await job.checkResults(records);
    await checkPaidOnce(job, target, records);
    peaks = job.peaks;
  });
  return peaks;
}

// In the suite one is enough: kills at each step of the others are in kill_test.ts.
for (const target of asked === undefined ? targets.slice(0, 1) : targets) {
  const { provider, shards } = target;
  Deno.test(`${provider}: a job of ${shards} batches survives kills at every stage, pays each record once, and a poll asks for what runs`, async () => {
    const peaks = await run(target, records);
    if (asked === undefined) return;
    const ofTenth = await run(target, records / 10);
    const mega = (bytes: readonly number[]) =>
      bytes.map((peak) => Math.round(peak / 1e6)).join(" ");
    print(`${provider}, MB at the most of each gateway that was killed, and of the last`);
    print(`${records} records: ${mega(peaks)}; ${records / 10}: ${mega(ofTenth)}`);
    const more = Math.max(...peaks) - Math.max(...ofTenth);
    // Where the lines of records are takes 13 bytes for each while they are gathered.
    assert.ok(more < 100e6 + 13 * records, "memory grows with the records");
  });
}
