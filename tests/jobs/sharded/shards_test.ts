import assert from "node:assert/strict";
import type { BatchLimits } from "../../../providers/provider.ts";
import { sandboxKeys } from "../../../sandbox/context.ts";
import { fault, holds } from "../wire.ts";
import { converse } from "./client.ts";
import { withLimits } from "./limits_world.ts";

const lines = ["one", "two", "three", "four", "five"].map((text) => converse(text, text));

const cuts: readonly [what: string, limits: BatchLimits, batches: number][] = [
  ["records", { records: 2, bytes: 1e6, recordBytes: 1e6 }, 3],
  ["bytes", { records: 100, bytes: 500, recordBytes: 500 }, 3],
  ["nothing", { records: 5, bytes: 1e6, recordBytes: 1e6 }, 1],
];

for (const [what, limits, batches] of cuts) {
  Deno.test(`a job over the limit of ${what} runs as ${batches} batches under one id`, () =>
    withLimits(limits, async ({ sandbox, world, reach, create, ended, results }) => {
      const job = await ended(await create(lines));
      assert.equal(job.status, "Completed", job.message ?? "");
      assert.deepEqual(job.counts, { total: 5, processed: 5, success: 5, error: 0 });
      assert.equal(await holds(sandbox, "openai", "batches"), batches);
      const ids = (await results(job)).map(({ recordId }) => recordId);
      assert.deepEqual(ids, ["one", "two", "three", "four", "five"]);
      // A list finds the batches by their job, and adopts none of them.
      const page = await world.jobs.list({ ...reach, native: true }, "us-west-2", {
        sortOrder: "Descending",
        maxResults: 100,
      });
      assert.deepEqual(page.jobs.map(({ id }) => id), [job.id]);
    }));
}

Deno.test("a batch that is refused fails its own records, and the others run", () =>
  withLimits({ records: 2, bytes: 1e6, recordBytes: 1e6 }, async (world) => {
    const { sandbox, create, ended, results } = world;
    await fault(sandbox, {
      provider: "openai",
      method: "POST",
      path: "/batches$",
      status: 400,
      body: '{"error":{"message":"too much of it","type":"invalid_request_error"}}',
    });
    const job = await ended(await create(lines));
    assert.equal(job.status, "Completed");
    assert.deepEqual(job.counts, { total: 5, processed: 5, success: 3, error: 2 });
    assert.match(job.message ?? "", /lines 1 to 2 of the input failed: .*too much of it/);
    const seen = (await results(job)).map(({ recordId, error }) => [recordId, error === undefined]);
    assert.deepEqual(seen, [
      ["one", false],
      ["two", false],
      ["three", true],
      ["four", true],
      ["five", true],
    ]);
  }));

Deno.test("a record over the provider's limit of one has an error line 413", () =>
  withLimits({ records: 10, bytes: 1e6, recordBytes: 300 }, async (world) => {
    const job = await world.ended(
      await world.create([converse("a", "short"), converse("b", "x".repeat(300))]),
    );
    const results: Record<string, { errorCode: number }>[] = await world.results(job);
    assert.equal(results[0]?.["error"], undefined);
    assert.equal(results[1]?.["error"]?.errorCode, 413);
  }));

Deno.test("records that are too many for a whole number of batches leave two of one size", () =>
  withLimits({ records: 4, bytes: 1e6, recordBytes: 1e6 }, async (world) => {
    const { sandbox, create, ended, results } = world;
    const many = Array.from({ length: 9 }, (_, at) => converse(`r${at}`, `text ${at}`));
    const job = await ended(await create(many));
    assert.deepEqual(job.counts, { total: 9, processed: 9, success: 9, error: 0 });
    const answer = await fetch(`${sandbox.openaiUrl}/batches`, {
      headers: { authorization: `Bearer ${sandboxKeys.openai}` },
    });
    const { data }: { data: { request_counts: { total: number } }[] } = await answer.json();
    const sizes = data.map(({ request_counts: { total } }) => total);
    assert.deepEqual(sizes.sort(), [2, 3, 4]);
    const ids = (await results(job)).map(({ recordId }) => recordId);
    assert.deepEqual(ids, many.map((_, at) => `r${at}`));
  }));

for (
  const [what, limits] of [
    ["records", { records: 2, bytes: 1e6, recordBytes: 1e6 }],
    ["bytes", { records: 100, bytes: 400, recordBytes: 400 }],
  ] as const
) {
  Deno.test(`a provider file over the limit of ${what} runs as several batches in its own form`, () =>
    withLimits(limits, async ({ sandbox, create, ended, results }) => {
      const own = ["one", "two", "three"].map((id) =>
        JSON.stringify({
          custom_id: id,
          method: "POST",
          url: "/v1/chat/completions",
          body: { model: "gpt-4o-mini", messages: [{ role: "user", content: id }] },
        })
      );
      const job = await ended(await create(own, {}));
      assert.equal(job.status, "Completed", job.message ?? "");
      assert.equal(await holds(sandbox, "openai", "batches"), 2);
      const ids = (await results(job)).map(({ custom_id }) => custom_id);
      assert.deepEqual(ids, ["one", "two", "three"]);
    }));
}
