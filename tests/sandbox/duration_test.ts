/** Batches that are ended by request. */
import assert from "node:assert/strict";
import { sandboxKeys } from "../../sandbox/context.ts";
import { durationOf } from "../../sandbox/duration.ts";
import { startSandbox } from "../../sandbox/server.ts";

const options = { batchSeconds: 10, windowSeconds: 86_400, strict: false };

Deno.test("a batch takes its time, or ends at the first request to finish that comes behind it", () => {
  assert.equal(durationOf(options, 1_000), 10_000);
  assert.equal(durationOf({ ...options, finishes: [] }, 1_000), 10_000);
  assert.equal(durationOf({ ...options, finishes: [500, 3_000, 4_000] }, 1_000), 2_000);
  assert.equal(durationOf({ ...options, finishes: [1_000] }, 1_000), 0);
  assert.equal(durationOf({ ...options, finishes: [999] }, 1_000), 10_000);
  assert.equal(durationOf({ ...options, finishes: [60_000] }, 1_000), 10_000);
});

Deno.test("a batch that was cancelled before it was finished stays cancelled", async () => {
  let time = Date.parse("2026-11-01T00:00:00Z");
  const sandbox = await startSandbox({ batchSeconds: 100 }, { now: () => new Date(time) });
  try {
    const headers = { "x-api-key": sandboxKeys.anthropic, "anthropic-version": "2023-06-01" };
    const base = `${sandbox.anthropicUrl}/v1/messages/batches`;
    const ask = async (path: string, body?: unknown, method = "POST") => {
      const given = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
      return await (await fetch(base + path, given)).json();
    };
    const request = (id: string) => ({
      custom_id: id,
      params: {
        model: "claude-3-haiku-20240307",
        max_tokens: 10,
        messages: [{ role: "user", content: "Hello" }],
      },
    });
    const cancelled = await ask("", { requests: [request("a")] });
    const running = await ask("", { requests: [request("b")] });
    time += 1_000;
    await ask(`/${cancelled.id}/cancel`);
    time += 1_000;
    const finish = await fetch(`${sandbox.controlUrl}/finish`, { method: "POST" });
    assert.deepEqual(await finish.json(), { finished: true });
    time += 1_000;
    const late = await ask("", { requests: [request("c")] });
    const seen = async ({ id }: { id: string }) => {
      const { processing_status: status, request_counts: counts, ended_at: at } = await ask(
        `/${id}`,
        undefined,
        "GET",
      );
      return [status, counts.succeeded, counts.canceled, at && Date.parse(at) % 60_000];
    };
    assert.deepEqual(await seen(running), ["ended", 1, 0, 2_000]);
    assert.deepEqual((await seen(cancelled)).slice(0, 3), ["ended", 0, 1]);
    assert.equal((await seen(late))[0], "in_progress");
    await (await fetch(`${sandbox.controlUrl}/reset`, { method: "POST" })).body?.cancel();
  } finally {
    await sandbox.close();
  }
});
