import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { batchId, fileId, jobId } from "../../codecs/ids.ts";
import { createAnthropic } from "../../providers/anthropic.ts";
import type { Account } from "../../providers/provider.ts";
import { quiet, serve, type TestWorld, world } from "./harness.ts";

const running = {
  id: "msgbatch_1",
  type: "message_batch",
  processing_status: "in_progress",
  request_counts: { processing: 10, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
  created_at: "2026-01-01T00:00:00.123456Z",
  expires_at: "2026-01-02T00:00:00Z",
  ended_at: null,
  cancel_initiated_at: null,
};
const id = batchId("msgbatch_1");

function anthropicAccount(url: string, { deps }: TestWorld): Account {
  const [account] = createAnthropic({
    name: "anthropic",
    kind: "anthropic",
    baseUrl: url,
    accounts: [{ name: "a", apiKey: "sk-ant-test", weight: 1 }],
  }, deps).accounts;
  if (account === undefined) throw new Error("The provider has no account");
  return account;
}

Deno.test("a native batch is read with the key and the version in its headers", async () => {
  await using server = serve((request) => {
    assert.equal(request.headers.get("x-api-key"), "sk-ant-test");
    assert.equal(request.headers.get("anthropic-version"), "2023-06-01");
    return Response.json(running);
  });
  await using w = world();
  assert.deepEqual(await anthropicAccount(server.url, w).batches.get(id, quiet()), {
    id: "msgbatch_1",
    jobId: undefined,
    name: undefined,
    modelId: undefined,
    status: "InProgress",
    rawStatus: "in_progress",
    input: undefined,
    results: [],
    createdAt: new Date("2026-01-01T00:00:00.123Z"),
    endedAt: undefined,
    expiresAt: new Date("2026-01-02T00:00:00Z"),
    counts: { total: 10, processed: 0, success: 0, error: 0 },
    message: undefined,
    tags: {},
  });
  assert.deepEqual(server.requests, ["GET /v1/messages/batches/msgbatch_1"]);
});

const cases = [
  ["canceling", {}, null, "Stopping"],
  ["ended", { succeeded: 8, errored: 2 }, null, "Completed"],
  ["ended", { succeeded: 8, canceled: 2 }, "2026-01-01T01:00:00Z", "Stopped"],
  ["ended", { succeeded: 8, errored: 2 }, "2026-01-01T01:00:00Z", "Completed"],
  ["ended", {}, "2026-01-01T01:00:00Z", "Stopped"],
  ["ended", { succeeded: 8, expired: 2 }, null, "PartiallyCompleted"],
  ["ended", { expired: 10 }, null, "Expired"],
  ["something_new", { processing: 10 }, null, "InProgress"],
] as const;
for (const [raw, counts, cancelled, status] of cases) {
  const stop = cancelled === null ? "" : ", and a stop,";
  Deno.test(`${raw} with ${JSON.stringify(counts)}${stop} is ${status}`, async () => {
    await using server = serve(() =>
      Response.json({
        ...running,
        processing_status: raw,
        request_counts: counts,
        cancel_initiated_at: cancelled,
      })
    );
    await using w = world();
    const batch = await anthropicAccount(server.url, w).batches.get(id, quiet());
    assert.equal(batch.status, status);
    assert.equal(batch.unknownStatus ?? false, raw === "something_new");
  });
}

Deno.test("there are no files, and a batch from a file is refused with what to do instead", async () => {
  await using server = serve(() => Response.json(running));
  await using w = world();
  const account = anthropicAccount(server.url, w);
  assert.equal(account.files, undefined);
  await assert.rejects(
    account.batches.create({
      jobId: jobId("abcdefghij01"),
      jobName: "j",
      modelId: "claude",
      input: fileId("file_1"),
      tags: {},
    }, quiet()),
    (error) => error instanceof Failure && error.kind === "invalid" && /inline/.test(error.message),
  );
  assert.deepEqual(server.requests, []);
});

Deno.test("batches are listed page by page, newest first", async () => {
  await using server = serve((request) =>
    Response.json({
      data: [running, { type: "odd" }],
      has_more: !request.url.includes("after_id"),
      last_id: "msgbatch_1",
    })
  );
  await using w = world();
  const { batches } = anthropicAccount(server.url, w);
  const first = await batches.list(undefined, quiet());
  assert.deepEqual(first.items.map((batch) => batch.id), ["msgbatch_1"]);
  assert.equal((await batches.list(first.cursor, quiet())).cursor, undefined);
  assert.deepEqual(server.requests, [
    "GET /v1/messages/batches?limit=100",
    "GET /v1/messages/batches?limit=100&after_id=msgbatch_1",
  ]);
});

Deno.test("a batch is stopped; one that is over is a conflict", async () => {
  let over = false;
  await using server = serve((request) => {
    if (request.method === "GET") return Response.json({ ...running, processing_status: "ended" });
    const error = { type: "invalid_request_error", message: "Batch has ended" };
    return over
      ? Response.json({ type: "error", error }, { status: 400 })
      : Response.json({ ...running, processing_status: "canceling" });
  });
  await using w = world();
  const { batches } = anthropicAccount(server.url, w);
  await batches.stop(id, quiet());
  over = true;
  await assert.rejects(
    batches.stop(id, quiet()),
    (error) => error instanceof Failure && error.kind === "conflict",
  );
});

Deno.test("refusals are classed by Anthropic's own codes", async () => {
  for (
    const [status, type, kind, bedrock] of [
      [402, "billing_error", "denied", "ServiceQuotaExceededException"],
      [529, "overloaded_error", "unavailable", undefined],
      [404, "not_found_error", "not-found", undefined],
      [401, "authentication_error", "denied", undefined],
    ] as const
  ) {
    await using server = serve(() =>
      Response.json({ type: "error", error: { type, message: "no" } }, { status })
    );
    await using w = world();
    await assert.rejects(
      anthropicAccount(server.url, w).batches.get(id, quiet()),
      (error) =>
        error instanceof Failure && error.kind === kind && error.details.bedrock === bedrock,
    );
  }
});

Deno.test("ids of batches are distinguished from other texts", async () => {
  await using w = world();
  const { batches } = anthropicAccount("http://127.0.0.1:9", w);
  assert.equal(batches.parseId("msgbatch_013Z"), "msgbatch_013Z");
  assert.equal(batches.parseId("batch_1"), undefined);
});
