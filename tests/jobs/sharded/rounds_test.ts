import assert from "node:assert/strict";
import { Failure } from "../../../codecs/failure.ts";
import { fault, holds, mend, until } from "../wire.ts";
import { quiet } from "../../objects/world.ts";
import { converse } from "./client.ts";
import { withLimits } from "./limits_world.ts";

const limits = { records: 100, bytes: 1e6, recordBytes: 1e6 };
const three = ["one", "two", "three"].map((text) => converse(text, text));

Deno.test("a record that failed for a passing reason runs again, and its result does not show it", () =>
  withLimits(limits, async ({ sandbox, create, ended, results, text }) => {
    const job = await ended(
      await create(three, { "batchway:dialect": "bedrock-converse", "batchway:retries": "2" }),
    );
    assert.equal(job.status, "Completed", job.message ?? "");
    assert.deepEqual(job.counts, { total: 3, processed: 3, success: 3, error: 0 });
    assert.equal(await holds(sandbox, "openai", "batches"), 2);
    const seen = await results(job);
    assert.deepEqual(seen.map((line) => line["recordId"]), ["one", "two", "three"]);
    assert.ok(seen.every((line) => !("error" in line)));
    const report = JSON.parse(await text(`_batchway/${job.id}/translation.ndjson`));
    assert.deepEqual([report.recordId, report.line, report.path, report.loss], [
      "two",
      2,
      "modelId",
      "approximated",
    ]);
    const manifest = JSON.parse(await text(`${job.id}/manifest.json.out`));
    assert.equal(manifest.retriedRecordCount, 1);
    assert.equal(manifest.successRecordCount, 3);
  }, (batch, id) => batch === 0 && id === "r0000002"));

Deno.test("records run again as often as the tag says, and only those that may pass", () =>
  withLimits(limits, async ({ sandbox, create, ended, results }) => {
    const lines = [converse("a", "fail 503"), converse("b", "fail 400"), converse("c", "fine")];
    const job = await ended(
      await create(lines, { "batchway:dialect": "bedrock-converse", "batchway:retries": "2" }),
    );
    assert.equal(job.status, "Completed");
    assert.deepEqual(job.counts, { total: 3, processed: 3, success: 1, error: 2 });
    assert.equal(await holds(sandbox, "openai", "batches"), 3);
    const seen: Record<string, { errorCode?: number }>[] = await results(job);
    assert.deepEqual(seen.map(({ error }) => error?.errorCode), [503, 400, undefined]);
  }));

Deno.test("an expired record that runs again leaves the job complete", () =>
  withLimits(limits, async ({ sandbox, create, ended }) => {
    const lines = [converse("a", "fine"), converse("b", "expire this")];
    const job = await ended(
      await create(lines, { "batchway:dialect": "bedrock-converse", "batchway:retries": "1" }),
    );
    assert.equal(await holds(sandbox, "openai", "batches"), 2);
    assert.deepEqual([job.counts?.success, job.counts?.total], [1, 2]);
  }));

for (
  const [what, tags] of [
    ["translated", { "batchway:dialect": "bedrock-converse" }],
    ["native", {}],
  ] as const
) {
  Deno.test(`every record of a ${what} job without an answer runs at the fallback`, () =>
    withLimits(limits, async ({ sandbox, create, ended, results, text }) => {
      const own = ["one", "two", "three"].map((id) =>
        JSON.stringify({
          custom_id: id,
          method: "POST",
          url: "/v1/chat/completions",
          body: { model: "fail-always", messages: [{ role: "user", content: id }] },
        })
      );
      const fallback = { ...tags, "batchway:fallback": "openai/gpt-4o" };
      const job = await ended(
        await create(what === "native" ? own : three, fallback, "fail-always"),
      );
      assert.equal(job.status, "Completed", job.message ?? "");
      assert.deepEqual(job.counts, { total: 3, processed: 3, success: 3, error: 0 });
      assert.equal(await holds(sandbox, "openai", "batches"), 2);
      const ids = (await results(job)).map((line) => line["recordId"] ?? line["custom_id"]);
      assert.deepEqual(ids, ["one", "two", "three"]);
      const manifest = JSON.parse(await text(`${job.id}/manifest.json.out`));
      assert.equal(manifest.fallbackRecordCount, 3);
      assert.equal(manifest.fallback, "openai/gpt-4o");
      const report = (await text(`_batchway/${job.id}/translation.ndjson`)).trimEnd().split("\n")
        .map((line) => JSON.parse(line));
      assert.ok(report.filter(({ path }) => path === "modelId").length >= 3);
    }));
}

Deno.test("a dry run makes nothing at the provider and says what the job would take", () =>
  withLimits({ ...limits, records: 2 }, async ({ sandbox, create, ended, text }) => {
    const job = await ended(
      await create(three, { "batchway:dialect": "bedrock-converse", "batchway:dry-run": "true" }),
    );
    assert.equal(job.status, "Completed");
    assert.equal(await holds(sandbox, "openai", "batches"), 0);
    const { estimatedInputTokenCount, ...manifest } = JSON.parse(
      await text(`${job.id}/manifest.json.out`),
    );
    assert.deepEqual(manifest, {
      dryRun: true,
      totalRecordCount: 3,
      batchCount: 2,
      inputBytes: three.join("\n").length,
    });
    assert.ok(estimatedInputTokenCount > 0);
    await assert.rejects(text(`${job.id}/in.jsonl.out`));
  }));

for (
  const [tag, value] of [
    ["batchway:retries", "4"],
    ["batchway:retries", ""],
    ["batchway:fallback", "gpt-4o"],
    ["batchway:fallback", "nowhere/model"],
    ["batchway:dry-run", "yes"],
  ] as const
) {
  Deno.test(`the tag ${tag} with the value "${value}" is refused`, () =>
    withLimits(limits, async ({ create }) => {
      await assert.rejects(create(three, { [tag]: value }), new RegExp(`The tag ${tag} must`));
    }));
}

Deno.test("a job that is stopped before its records run once more is Stopped, and has what its first run gave", () =>
  withLimits(limits, async ({ sandbox, world, reach, create, ended, results }) => {
    // Without its results the next round cannot be planned.
    await fault(sandbox, { provider: "openai", method: "GET", path: "/content$", status: 503 });
    const lines = [converse("a", "fine"), converse("b", "fail 503")];
    const tags = { "batchway:dialect": "bedrock-converse", "batchway:retries": "1" };
    const job = await create(lines, tags);
    const scope = { tenant: reach.tenant, provider: "openai" };
    await until("its batch is over", async () => {
      await world.jobs.get(reach, "us-west-2", job.id, quiet());
      const shards = await world.catalog.shards.all(scope, job.id);
      return shards.length === 1 && shards[0]?.end !== undefined;
    });
    await world.jobs.stop(reach, "us-west-2", job.id, quiet());
    await mend(sandbox);
    const over = await ended(job);
    assert.equal(over.status, "Stopped", over.message ?? "");
    assert.match(over.message ?? "", /stop/i);
    assert.equal(await holds(sandbox, "openai", "batches"), 1);
    const seen: Record<string, { errorCode?: number }>[] = await results(over);
    assert.deepEqual(seen.map(({ error }) => error?.errorCode), [undefined, 503]);
  }));

Deno.test("a dry run that is stopped once its input was read ends as a dry run", () =>
  withLimits(limits, async ({ sandbox, world, reach, create, ended, text }) => {
    const { results, shards } = world.catalog;
    const { end } = results;
    Object.assign(results, {
      end: () => Promise.reject(new Failure("unavailable", "The catalog is not there")),
    });
    const job = await create(three, {
      "batchway:dialect": "bedrock-converse",
      "batchway:dry-run": "true",
    });
    const scope = { tenant: reach.tenant, provider: "openai" };
    await until("its input was read", () => shards.prepared(scope, job.id));
    await world.jobs.stop(reach, "us-west-2", job.id, quiet());
    Object.assign(results, { end });
    const over = await ended(job);
    assert.equal(over.status, "Completed", over.message ?? "");
    const manifest = JSON.parse(await text(`${job.id}/manifest.json.out`));
    assert.deepEqual([manifest.dryRun, manifest.totalRecordCount], [true, 3]);
    assert.equal(
      await world.catalog.objects.get(scope, "out", `${job.id}/in.jsonl.out`),
      undefined,
    );
    assert.equal(await holds(sandbox, "openai", "batches"), 0);
  }));
