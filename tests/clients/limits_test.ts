import assert from "node:assert/strict";
import { runClient, withGateway } from "./session.ts";
import { holds } from "../jobs/wire.ts";

interface Ended {
  readonly waiting: readonly [status: string, message: string, records: number];
  readonly status: string;
  readonly statuses: readonly string[];
  readonly message: string | null;
  readonly counts: readonly number[];
  readonly ids: readonly string[];
  readonly errors: readonly string[];
  readonly losses: readonly (readonly [id: string, path: string, reason: string])[];
  readonly manifest: Readonly<Record<string, unknown>>;
}

const ids = (count: number) => Array.from({ length: count }, (_, n) => `request-${n + 1}`);

/** A gateway whose batches at openai hold three records, and run one at a time. */
const limited = (env: Record<string, string> = { BATCHWAY_SWEEP_SECONDS: "0.3" }) => ({
  configuration: JSON.stringify({
    providers: {
      openai: { kind: "openai", batchLimits: { records: 3, running: 1 } },
      gemini: { kind: "gemini" },
    },
  }),
  sandbox: { batchSeconds: 0.2 },
  env,
});

Deno.test("boto3 sees a job over the limits as one job that waits, progresses and completes", () =>
  withGateway(async ({ url, sandbox }) => {
    const args = [url, sandbox.controlUrl, "split"];
    const seen = await runClient<Ended>("limits.py", args);
    assert.match(seen.waiting[1], /of the job's 3 batches wait to be started: .*running/);
    assert.ok(["Scheduled", "InProgress"].includes(seen.waiting[0]), seen.waiting[0]);
    assert.equal(seen.waiting[2], 7);
    assert.deepEqual([seen.status, seen.message], ["Completed", null]);
    assert.deepEqual(seen.counts, [7, 7, 7, 0]);
    assert.deepEqual(seen.ids, ids(7));
    assert.equal(await holds(sandbox, "openai", "batches"), 3);
    assert.equal(seen.manifest["totalRecordCount"], 7);
  }, limited()));

Deno.test("boto3 creates a job on a file of OpenAI's own while the queue is full, and it completes", () =>
  withGateway(async ({ url, sandbox }) => {
    const args = [url, sandbox.controlUrl, "queue"];
    const seen = await runClient<Ended>("limits.py", args);
    assert.equal(seen.waiting[0], "Scheduled");
    assert.match(seen.waiting[1], /^1 of the job's 1 batches wait to be started: /);
    assert.deepEqual([seen.status, seen.message], ["Completed", null]);
    assert.deepEqual(seen.counts, [3, 3, 3, 0]);
    assert.deepEqual(seen.ids, ids(3));
    assert.equal(await holds(sandbox, "openai", "batches"), 1);
  }, { sandbox: { batchSeconds: 0.2 }, env: { BATCHWAY_SWEEP_SECONDS: "0.3" } }));

Deno.test("boto3 gets the error of a record that failed again, and the answers of the others", () =>
  withGateway(async ({ url, sandbox }) => {
    const args = [url, sandbox.controlUrl, "retry"];
    const seen = await runClient<Ended>("limits.py", args);
    assert.equal(seen.status, "Completed");
    assert.deepEqual(seen.counts, [3, 3, 2, 1]);
    assert.deepEqual([seen.ids, seen.errors], [ids(3), ["request-2"]]);
    assert.equal(seen.manifest["retriedRecordCount"], 1);
    // All three, and then the one that failed.
    assert.equal(await holds(sandbox, "openai", "batches"), 2);
  }, limited()));

Deno.test("boto3 gets one line a record where records ran at the fallback", () =>
  withGateway(async ({ url, sandbox }) => {
    const args = [url, sandbox.controlUrl, "fallback"];
    const seen = await runClient<Ended>("limits.py", args);
    assert.equal(seen.status, "Completed");
    assert.deepEqual(seen.counts, [3, 3, 3, 0]);
    assert.deepEqual([seen.ids, seen.errors], [ids(3), []]);
    assert.equal(seen.manifest["fallbackRecordCount"], 3);
    assert.equal(seen.manifest["fallback"], "gemini/gemini-2.5-flash");
    assert.deepEqual(
      seen.losses.map(([id, path]) => [id, path]),
      ids(3).map((id) => [id, "modelId"]),
    );
  }, limited()));

Deno.test("boto3 learns by a dry run what a job would take, and nothing is made", () =>
  withGateway(async ({ url, sandbox }) => {
    const args = [url, sandbox.controlUrl, "dry"];
    const seen = await runClient<Ended & { results: string[] }>("limits.py", args);
    assert.equal(seen.status, "Completed");
    const { dryRun, totalRecordCount, batchCount } = seen.manifest;
    assert.deepEqual([dryRun, totalRecordCount, batchCount], [true, 7, 3]);
    assert.ok(Number(seen.manifest["inputBytes"]) > 500);
    assert.ok(Number(seen.manifest["estimatedInputTokenCount"]) > 50);
    assert.deepEqual(seen.results, []);
    assert.equal(await holds(sandbox, "openai", "batches"), 0);
  }, limited()));
