/** Jobs in their provider's own dialect that one batch would run, where the queue is full. */
import assert from "node:assert/strict";
import { Failure } from "../../../codecs/failure.ts";
import { isTerminal } from "../../../codecs/job_status.ts";
import type { FaultRule } from "../../../sandbox/faults.ts";
import type { JobEntry } from "../../../catalog/entries.ts";
import { quiet } from "../../objects/world.ts";
import { startTestGateway } from "../../gateway.ts";
import {
  asked,
  createClient,
  fault,
  geminiLines,
  holds,
  mend,
  openaiLines,
  until,
} from "../wire.ts";
import { type ShardedWorld, withLimits } from "./limits_world.ts";

const wide = { records: 1_000, bytes: 1e6, recordBytes: 1e6 };
const lines = openaiLines.split("\n");
const ids = ["request-1", "request-2", "request-3"];

const tooMany = {
  provider: "openai",
  method: "POST",
  path: "/batches$",
  status: 429,
  headers: { "x-should-retry": "false" },
  body: '{"error":{"message":"too many","type":"requests","code":"rate_limit_exceeded"}}',
} as const;

const noTokens: FaultRule = {
  provider: "openai",
  method: "GET",
  path: "/batches/[^/]+$",
  replaceMembers: {
    status: "failed",
    errors: {
      object: "list",
      data: [{ code: "token_limit_exceeded", message: "Enqueued token limit reached" }],
    },
  },
};

function see({ world, reach }: ShardedWorld, { id }: JobEntry): Promise<JobEntry> {
  return world.jobs.get(reach, "us-west-2", id, quiet());
}

/** The job as it is while it waits. */
function waiting(world: ShardedWorld, job: JobEntry): Promise<JobEntry> {
  return until("the job waits", async () => {
    const now = await see(world, job);
    return /wait to be started/.test(now.message ?? "") && now;
  });
}

/** The job at its end; the sweep tries what nothing else makes room for. */
function swept(world: ShardedWorld, job: JobEntry): Promise<JobEntry> {
  return until("the job ends", async () => {
    await world.world.jobs.sweep(quiet());
    const now = await see(world, job);
    return isTerminal(now.status) && now;
  });
}

async function assertWhole(world: ShardedWorld, job: JobEntry) {
  assert.equal(job.status, "Completed", job.message ?? "without a message");
  assert.deepEqual(job.counts, { total: 3, processed: 3, success: 3, error: 0 });
  const results = await world.results(job);
  assert.deepEqual(results.map((line) => line["custom_id"]), ids);
}

Deno.test("a job of one batch waits where its create is refused with 429, and runs once", () =>
  withLimits(wide, async (world) => {
    await fault(world.sandbox, { ...tooMany, times: 3 });
    // A tag that does not matter for a batch that runs as it is does not matter now.
    const job = await world.create(lines, { "batchway:output-dialect": "bedrock-converse" });
    assert.equal(job.status, "Submitted");
    const waits = await waiting(world, job);
    assert.equal(waits.status, "Scheduled");
    assert.match(
      waits.message ?? "",
      /^1 of the job's 1 batches wait to be started: Provider openai limits/,
    );
    assert.equal(world.world.jobs.waiting().get("openai"), 1);
    await assertWhole(world, await swept(world, job));
    assert.equal(await holds(world.sandbox, "openai", "batches"), 1);
  }));

Deno.test("a create while others wait is one job that waits its turn, for all calls with its token", () =>
  withLimits(wide, async (world) => {
    await fault(world.sandbox, tooMany);
    const create = () => world.create(lines, { once: "yes" });
    const first = await create();
    await waiting(world, first);
    const before = await asked(world.sandbox, "POST", /\/batches$/);
    const { jobs } = world.world;
    const request = {
      jobName: "job",
      roleArn: "none",
      modelId: "gpt-4o-mini",
      clientRequestToken: "token-1",
      inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://bucket/in.jsonl" } },
      outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://out/" } },
      tags: {},
    };
    const [one, two] = await Promise.all(
      [1, 2].map(() => jobs.create(world.reach, "us-west-2", request, quiet())),
    );
    const later = await jobs.create(world.reach, "us-west-2", request, quiet());
    assert.ok(one && two);
    assert.deepEqual([two.id, later.id], [one.id, one.id]);
    // The account is known to be full: it is not asked again for the token, however often that came.
    assert.equal(await asked(world.sandbox, "POST", /\/batches$/), before);
    await mend(world.sandbox);
    await assertWhole(world, await swept(world, one));
    await assertWhole(world, await swept(world, first));
    assert.equal(await holds(world.sandbox, "openai", "batches"), 2);
  }));

for (const isDeleted of [false, true]) {
  const what = isDeleted ? "whose input was deleted meanwhile " : "";
  Deno.test(`a job ${what}waits where its batch failed for the quota of queued tokens`, () =>
    withLimits(wide, async (world) => {
      await fault(world.sandbox, { ...noTokens, times: 1 });
      const job = await world.create(lines, {});
      if (isDeleted) {
        const name = { bucket: "bucket", key: "in.jsonl" };
        await world.world.objects.remove(world.reach, name, quiet());
      }
      const waits = await waiting(world, job);
      assert.ok(["Submitted", "Validating", "Scheduled"].includes(waits.status), waits.status);
      assert.match(waits.message ?? "", /Enqueued token limit reached/);
      await assertWhole(world, await swept(world, job));
      // The first one ran nothing.
      assert.equal(await holds(world.sandbox, "openai", "batches"), 2);
    }));
}

Deno.test("batchLimits.running counts jobs of one batch, and the next starts as one ends", () =>
  withLimits({ ...wide, running: 1 }, async (world) => {
    const first = await world.create(lines, {});
    await until(
      "the first one runs",
      async () => await holds(world.sandbox, "openai", "batches") === 1,
    );
    const second = await world.create(lines, {});
    const waits = await waiting(world, second);
    assert.match(waits.message ?? "", /batchLimits\.running/);
    assert.equal(await holds(world.sandbox, "openai", "batches"), 1);
    await assertWhole(world, await world.ended(first));
    await assertWhole(world, await world.ended(second));
  }));

Deno.test("a job that waits for its only batch can be stopped, and nothing is started", () =>
  withLimits(wide, async (world) => {
    await fault(world.sandbox, tooMany);
    const job = await world.create(lines, {});
    await waiting(world, job);
    await world.world.jobs.stop(world.reach, "us-west-2", job.id, quiet());
    await mend(world.sandbox);
    assert.equal((await swept(world, job)).status, "Stopped");
    assert.equal(await holds(world.sandbox, "openai", "batches"), 0);
  }));

Deno.test("a form that only the provider can run is refused as the provider does", () =>
  withLimits(wide, async (world) => {
    await fault(world.sandbox, tooMany);
    const native = lines.map((line) => line.replace("/v1/chat/completions", "/v1/moderations"));
    const isThrottled = (error: unknown) => error instanceof Failure && error.kind === "throttled";
    await assert.rejects(
      world.create(native, {}).then((job) => assert.fail(job.status)),
      isThrottled,
    );
  }));

for (const keep of ["all", "needed"]) {
  const is = keep === "all" ? "waits where its input was kept" : "is refused where it was not kept";
  Deno.test(`a create that Gemini refuses with 429 ${is}`, async () => {
    const gateway = await startTestGateway({
      configuration: JSON.stringify({ objects: { keep } }),
      sandbox: { batchSeconds: 0.2 },
      env: { BATCHWAY_SWEEP_SECONDS: "0.2" },
    });
    try {
      const client = createClient(gateway.url, "gemini");
      await client.upload("bucket/in.jsonl", geminiLines);
      const path = ":batchGenerateContent$";
      await fault(gateway.sandbox, { ...tooMany, provider: "gemini", path, times: 1 });
      const created = await client.createRaw("bucket/in.jsonl");
      const text = await created.text();
      assert.equal(created.status, keep === "all" ? 200 : 429, text);
      if (keep === "needed") return;
      const { jobArn } = JSON.parse(text);
      const job = await until("the job ends", async () => {
        const now = await client.get(jobArn);
        return ["Completed", "Failed"].includes(now.status) && now;
      });
      assert.deepEqual([job.status, job["successRecordCount"]], ["Completed", 3]);
      assert.equal(await holds(gateway.sandbox, "gemini", "batches"), 1);
      const key = `/bedrock/files/out/${jobArn.slice(-12)}/in.jsonl.out`;
      const results = await (await client.send(key)).text();
      assert.deepEqual(results.trimEnd().split("\n").map((line) => JSON.parse(line).key), ids);
    } finally {
      await gateway.stop();
    }
  });
}
