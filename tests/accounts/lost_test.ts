/** Jobs whose batches or results are lost at their provider: each still has its row, once. */
import assert from "node:assert/strict";
import type { JobEntry } from "../../catalog/entries.ts";
import type { UsageRow } from "../../catalog/usage.ts";
import { Failure } from "../../codecs/failure.ts";
import { isTerminal } from "../../codecs/job_status.ts";
import { patience } from "../../jobs/verdict.ts";
import { sandboxKeys } from "../../sandbox/context.ts";
import { all } from "../catalog/memory.ts";
import { finish, get, start } from "../jobs/results_world.ts";
import { converse } from "../jobs/sharded/client.ts";
import { withLimits } from "../jobs/sharded/limits_world.ts";
import { fault, holds, until } from "../jobs/wire.ts";
import { createJobWorld, type JobWorld } from "../jobs/world.ts";
import { quiet } from "../objects/world.ts";

const minute = 60_000;

/** Asks for a job, with pauses, until it is over. */
async function endOf(world: JobWorld, job: JobEntry, pause: number): Promise<JobEntry> {
  for (let tries = 0; tries < 100; tries++) {
    const now = await get(world, job);
    if (isTerminal(now.status)) return now;
    world.time += pause;
  }
  return assert.fail("the job does not end");
}

async function rowsOf({ catalog }: JobWorld): Promise<UsageRow[]> {
  return await all(catalog.usage.rows({ from: "1970-01-01", to: "2100-01-01" }));
}

/** What a job's only row says: its records, and its tokens. */
async function sumsOf(world: JobWorld): Promise<number[]> {
  const [row, ...others] = await rowsOf(world);
  assert.deepEqual(others, []);
  const [run, ...more] = row?.entry.runs ?? [];
  assert.deepEqual(more, []);
  return [
    run?.succeeded ?? 0,
    run?.failed ?? 0,
    run?.inputTokens ?? 0,
    run?.outputTokens ?? 0,
  ];
}

Deno.test("a batch that vanished has a row without records, of the day on which its job was given up", async () => {
  using world = await createJobWorld({ virtual: true });
  const job = await start(world, []);
  world.cloud.before = (call) => {
    if (call === "batches.get") throw new Failure("not-found", "No such batch", { gone: true });
  };
  const done = await endOf(world, job, 20 * minute);
  assert.equal(done.status, "Failed");
  assert.deepEqual(await sumsOf(world), [0, 0, 0, 0]);
  const [row] = await rowsOf(world);
  assert.equal(row?.day, new Date(done.endedAt ?? done.modifiedAt).toISOString().slice(0, 10));
  // Nothing that is asked later counts again.
  world.cloud.before = () => undefined;
  world.time += 30 * minute;
  await get(world, job);
  assert.equal((await rowsOf(world)).length, 1);
});

Deno.test("results that stay unreadable count their provider's records, and no tokens", async () => {
  using world = await createJobWorld({ virtual: true });
  const job = await start(world, []);
  world.cloud.before = (call) => {
    if (call === "batches.results") throw new Failure("unavailable", "A redirect came back");
  };
  await finish(world, job, { counts: { total: 3, processed: 3, success: 2, error: 1 } });
  const done = await endOf(world, job, patience.refused / 4);
  assert.equal(done.status, "Completed");
  assert.deepEqual(await sumsOf(world), [2, 1, 0, 0]);
});

Deno.test("of a job that lost one of its batches' results the others count, with their tokens", () =>
  withLimits({ records: 2, bytes: 1e6, recordBytes: 1e6 }, async (sharded) => {
    const { sandbox, world, reach, create, ended, pass } = sharded;
    const job = await create(["a", "b", "c"].map((text) => converse(text, text)));
    await until("both batches are made", async () => {
      await world.jobs.get(reach, "us-west-2", job.id, quiet());
      return await holds(sandbox, "openai", "batches") === 2;
    });
    const headers = { authorization: `Bearer ${sandboxKeys.openai}` };
    const [kept, lost] = await until("they are over", async () => {
      const { data } = await (await fetch(`${sandbox.openaiUrl}/batches`, { headers })).json();
      return data.every(({ status }: { status: string }) => status === "completed") && data;
    });
    const path = `/files/${lost.output_file_id}/content`;
    const body = '{"error":{"message":"No such File","type":"invalid_request_error"}}';
    await fault(sandbox, { provider: "openai", method: "GET", path, status: 404, times: 99, body });
    await until("the results are in doubt", async () => {
      await world.jobs.get(reach, "us-west-2", job.id, quiet());
      return world.warnings.some((text) => /tried again/.test(text));
    });
    pass(patience.late);
    assert.equal((await ended(job)).status, "Completed");
    const { input_tokens, output_tokens } = kept.usage;
    assert.ok(input_tokens > 0 && output_tokens > 0);
    assert.deepEqual(await sumsOf(world), [1, 2, input_tokens, output_tokens]);
  }));
