import assert from "node:assert/strict";
import { blobName } from "../../../codecs/ids.ts";
import { patience } from "../../../jobs/verdict.ts";
import { sandboxKeys } from "../../../sandbox/context.ts";
import type { Sandbox } from "../../../sandbox/server.ts";
import { quiet } from "../../objects/world.ts";
import { fault, mend, until } from "../wire.ts";
import { converse } from "./client.ts";
import { type ShardedWorld, withLimits } from "./limits_world.ts";

const small = { records: 2, bytes: 1e6, recordBytes: 1e6 };
const lines = ["one", "two", "three", "four"].map((text) => converse(text, text));

/** The batches, in the order of their shards. */
async function batches({ openaiUrl }: Sandbox) {
  const headers = { authorization: `Bearer ${sandboxKeys.openai}` };
  const { data }: { data: { id: string; status: string; output_file_id?: string }[] } =
    await (await fetch(`${openaiUrl}/batches`, { headers })).json();
  return data.toReversed();
}

async function batchIds(sandbox: Sandbox): Promise<string[]> {
  return (await batches(sandbox)).map(({ id }) => id);
}

/** Has the provider say that it does not have these batches. */
async function lose(sandbox: Sandbox, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const body = '{"error":{"message":"No batch found","type":"invalid_request_error"}}';
    const path = `/batches/${id}`;
    for (const method of ["GET", "POST"]) {
      await fault(sandbox, { provider: "openai", method, path, status: 404, times: 1_000, body });
    }
  }
}

async function started({ sandbox, world, reach }: ShardedWorld, id: string, count: number) {
  return await until("the batches are made", async () => {
    await world.jobs.get(reach, "us-west-2", id, quiet());
    const ids = await batchIds(sandbox);
    return ids.length === count && ids;
  });
}

Deno.test("a batch that the provider does not have any more fails its own records, after an hour", () =>
  withLimits(small, async (world) => {
    const { sandbox, create, ended, results, pass, reach } = world;
    const job = await create(lines);
    const [first = ""] = await started(world, job.id, 2);
    await lose(sandbox, [first]);
    const get = () => world.world.jobs.get(reach, "us-west-2", job.id, quiet());
    await until("the other batch is over", async () => (await get()).counts?.success === 2);
    pass(patience.missing - 60_000);
    assert.equal((await get()).status, "InProgress");
    pass(120_000);
    const last = await ended(job);
    assert.equal(last.status, "Completed");
    assert.match(
      last.message ?? "",
      /lines 1 to 2 of the input failed: .* does not have the batch/,
    );
    assert.deepEqual(last.counts, { total: 4, processed: 4, success: 2, error: 2 });
    const seen = (await results(job)).map(({ recordId, error }) => [recordId, error === undefined]);
    assert.deepEqual(seen, [["one", false], ["two", false], ["three", true], ["four", true]]);
    assert.deepEqual((await world.blobs(job)).length, 1);
  }));

Deno.test("a batch that is missing in passing ends nothing, and the hour begins again", () =>
  withLimits(small, async (world) => {
    const { sandbox, create, ended, pass, reach } = world;
    const job = await create(lines);
    const [, second = ""] = await started(world, job.id, 2);
    await lose(sandbox, [second]);
    await world.world.jobs.get(reach, "us-west-2", job.id, quiet());
    pass(patience.missing - 60_000);
    await mend(sandbox);
    const last = await ended(job);
    assert.deepEqual([last.status, last.counts?.success], ["Completed", 4]);
  }));

Deno.test("where no batch is left, the job fails, and no blob of it stays", () =>
  withLimits(small, async (world) => {
    const { sandbox, create, ended, pass, reach, blobs } = world;
    const lossy = converse("five", "five", { additionalModelRequestFields: { unheard_of: 1 } });
    const job = await create([...lines, lossy]);
    const ids = await started(world, job.id, 3);
    await lose(sandbox, ids);
    await world.world.jobs.get(reach, "us-west-2", job.id, quiet());
    assert.ok((await blobs(job)).some((name) => name.startsWith("openai/")));
    pass(patience.missing + 60_000);
    const last = await ended(job);
    assert.equal(last.status, "Failed");
    assert.match(last.message ?? "", /does not have the batch/);
    assert.deepEqual(await blobs(job), []);
  }));

Deno.test("a job whose stop was asked for before its batch went missing is stopped", () =>
  withLimits(small, async (world) => {
    const { sandbox, create, ended, pass, reach } = world;
    const job = await create(lines.slice(0, 1));
    const ids = await started(world, job.id, 1);
    await lose(sandbox, ids);
    await world.world.jobs.stop(reach, "us-west-2", job.id, quiet());
    await world.world.jobs.get(reach, "us-west-2", job.id, quiet());
    pass(patience.missing + 60_000);
    assert.equal((await ended(job)).status, "Stopped");
  }));

Deno.test("results that are gone before they are read fail their own records, after five minutes", () =>
  withLimits(small, async (world) => {
    const { sandbox, create, ended, results, pass, reach } = world;
    const job = await create(lines);
    await started(world, job.id, 2);
    const [, second] = await until("the batches are over", async () => {
      const all = await batches(sandbox);
      return all.every(({ status }) => status === "completed") && all;
    });
    const path = `/files/${second?.output_file_id}/content`;
    const body = '{"error":{"message":"No such File","type":"invalid_request_error"}}';
    await fault(sandbox, { provider: "openai", method: "GET", path, status: 404, times: 99, body });
    await until("the results are in doubt", async () => {
      await world.world.jobs.get(reach, "us-west-2", job.id, quiet());
      return world.world.warnings.some((text) => /tried again/.test(text));
    });
    pass(patience.late);
    const last = await ended(job);
    assert.deepEqual(last.counts, { total: 4, processed: 4, success: 2, error: 2 });
    assert.match(last.message ?? "", /results lack 2 of 4 records: "three", "four"/);
    const seen = (await results(job)).map(({ recordId, error }) => [recordId, error === undefined]);
    assert.deepEqual(seen, [["one", true], ["two", true], ["three", false], ["four", false]]);
  }));

Deno.test("a line that the provider finds fault with is named as one of the input, or as one of what was sent", () =>
  withLimits(small, async (world) => {
    const { sandbox, create, ended } = world;
    const [one = "", ...others] = lines;
    const job = await create([one, "", ...others]);
    const errors = { data: [{ code: "bad", line: 2, message: "No such model." }] };
    for (const id of await started(world, job.id, 2)) {
      const body = JSON.stringify({ id, object: "batch", status: "failed", errors, created_at: 1 });
      const path = `/batches/${id}`;
      await fault(sandbox, {
        provider: "openai",
        method: "GET",
        path,
        status: 200,
        times: 99,
        body,
      });
    }
    const last = await ended(job);
    assert.equal(last.status, "Failed");
    assert.equal(
      last.message,
      "Record 2 of the lines that were sent: No such model. Line 5 of the input: No such model.",
    );
  }));

Deno.test("the sweep deletes what a killed gateway left of a job that is over, and nothing that has a name", () =>
  withLimits(small, async (world) => {
    const { create, ended, blobs, store, world: { jobs, catalog } } = world;
    const job = await ended(await create(lines));
    const [named = ""] = await blobs(job);
    const scope = { tenant: world.reach.tenant, provider: "openai" };
    const orphan = blobName(`openai/${job.id}/orphan`);
    const work = blobName(`_jobs/openai/${job.id}/shard-7`);
    for (const name of [orphan, work]) {
      await store.put(name, { bytes: 1, body: new Blob(["x"]).stream() }, quiet());
    }
    // As if it had died before it deleted them.
    await catalog.shards.prepare(scope, job.id, { records: 4, refused: 0, lossy: 0 }, []);
    await jobs.sweep(quiet());
    assert.deepEqual(await blobs(job), [named]);
  }));
