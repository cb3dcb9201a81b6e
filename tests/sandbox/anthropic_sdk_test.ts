/** Anthropic's own SDK drives the simulated Anthropic through the whole life of batches and files. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import Anthropic, { APIError, toFile } from "../sdks/anthropic.ts";
import { sandboxKeys } from "../../sandbox/context.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { Clock } from "./clock.ts";
import { TidyFetch } from "./tidy_fetch.ts";

type Request = Anthropic.Messages.BatchCreateParams.Request;
type Result = Anthropic.Messages.MessageBatchResult;

/** Batches take 100 seconds, of a window of 1,000. */
async function withAnthropic(
  test: (client: Anthropic, clock: Clock) => Promise<void>,
  apiKey: string = sandboxKeys.anthropic,
): Promise<void> {
  const clock = new Clock();
  const tidy = new TidyFetch();
  const sandbox = await startSandbox(
    { batchSeconds: 100, windowSeconds: 1000 },
    { now: clock.now },
  );
  try {
    await test(
      new Anthropic({ apiKey, baseURL: sandbox.anthropicUrl, fetch: tidy.fetch, maxRetries: 0 }),
      clock,
    );
  } finally {
    await tidy.tidy();
    await sandbox.close();
  }
}

function question(id: string, number: number): Request {
  return {
    custom_id: id,
    params: {
      model: "claude-opus-5-5",
      max_tokens: 100,
      messages: [{ role: "user", content: `What is ${number} + ${number}?` }],
    },
  };
}

async function results(client: Anthropic, id: string): Promise<Map<string, Result>> {
  const all = new Map<string, Result>();
  for await (const line of await client.messages.batches.results(id)) {
    equal(all.has(line.custom_id), false, `${line.custom_id} came twice`);
    all.set(line.custom_id, line.result);
  }
  return all;
}

const failsWith = (status: number, type: string, words: RegExp) => (error: unknown) => {
  ok(error instanceof APIError, `not an APIError: ${error}`);
  equal(error.status, status);
  equal(error.type, type);
  match(error.message, words);
  match(error.requestID ?? "", /^req_/);
  return true;
};

Deno.test("the SDK creates a batch, waits for its end and reads right answers", () =>
  withAnthropic(async (client, clock) => {
    const requests = [question("r1", 1), question("error-2", 2), question("r3", 21)];
    const created = await client.messages.batches.create({ requests });
    match(created.id, /^msgbatch_/);
    equal(created.processing_status, "in_progress");
    equal(created.created_at, "2026-11-23T12:00:00.000000Z");
    equal(created.expires_at, "2026-11-23T12:16:40.000000Z");
    equal(created.ended_at, null);
    equal(created.results_url, null);

    clock.advance(99);
    const running = await client.messages.batches.retrieve(created.id);
    deepEqual(running.request_counts, {
      processing: 3,
      succeeded: 0,
      errored: 0,
      canceled: 0,
      expired: 0,
    }, "no progress is told before the end");
    await rejects(client.messages.batches.results(created.id), /in_progress/);

    clock.advance(1);
    const ended = await client.messages.batches.retrieve(created.id);
    equal(ended.processing_status, "ended");
    deepEqual(ended.request_counts, {
      processing: 0,
      succeeded: 2,
      errored: 1,
      canceled: 0,
      expired: 0,
    });
    equal(ended.ended_at, "2026-11-23T12:01:40.000000Z");

    const all = await results(client, created.id);
    equal(all.size, 3);
    const sum = all.get("r3");
    ok(sum?.type === "succeeded");
    deepEqual(sum.message.content.map((block) => block.type === "text" && block.text), [
      "21 + 21 = 42",
    ]);
    equal(sum.message.stop_reason, "end_turn");
    equal(sum.message.usage.output_tokens, 3);
    const failed = all.get("error-2");
    ok(failed?.type === "errored");
    equal(failed.error.error.type, "api_error");
    equal(failed.error.request_id, null);
  }));

Deno.test("the SDK's API version refuses sampling parameters of each request, an older one does not", () =>
  withAnthropic(async (client, clock) => {
    const { custom_id, params } = question("r1", 1);
    const warm = { requests: [{ custom_id, params: { ...params, temperature: 1 } }] };
    const newer = await client.messages.batches.create(warm);
    const older = await client.messages.batches.create(warm, {
      headers: { "anthropic-version": "2023-06-01" },
    });
    clock.advance(100);
    const refused = (await results(client, newer.id)).get("r1");
    ok(refused?.type === "errored");
    match(refused.error.error.message, /^temperature: Extra inputs are not permitted$/);
    equal((await results(client, older.id)).get("r1")?.type, "succeeded");
  }));

Deno.test("the SDK cancels a batch: what was done stays done, the rest is canceled", () =>
  withAnthropic(async (client, clock) => {
    const requests = Array.from({ length: 10 }, (_, i) => question(`r${i}`, i));
    const { id } = await client.messages.batches.create({ requests });
    await rejects(
      client.messages.batches.delete(id),
      failsWith(400, "invalid_request_error", /in progress/),
    );
    clock.advance(40);
    const canceling = await client.messages.batches.cancel(id);
    equal(canceling.processing_status, "canceling");
    equal(canceling.cancel_initiated_at, "2026-11-23T12:00:40.000000Z");
    clock.advance(10);
    const ended = await client.messages.batches.retrieve(id);
    equal(ended.processing_status, "ended");
    equal(ended.request_counts.succeeded, 4);
    equal(ended.request_counts.canceled, 6);
    const all = await results(client, id);
    deepEqual(all.get("r9"), { type: "canceled" });
    equal(all.get("r3")?.type, "succeeded");
    await rejects(
      client.messages.batches.cancel(id),
      failsWith(400, "invalid_request_error", /ended/),
    );
    deepEqual(await client.messages.batches.delete(id), { id, type: "message_batch_deleted" });
    await rejects(
      client.messages.batches.retrieve(id),
      failsWith(404, "not_found_error", /not found/),
    );
  }));

Deno.test("the SDK pages through batches in both directions, newest first", () =>
  withAnthropic(async (client) => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.unshift((await client.messages.batches.create({ requests: [question("r", i)] })).id);
    }
    const all = [];
    for await (const { id } of client.messages.batches.list({ limit: 2 })) all.push(id);
    deepEqual(all, ids);

    const newer = await client.messages.batches.list({ limit: 2, before_id: ids[3] ?? "" });
    deepEqual(newer.data.map(({ id }) => id), [ids[1], ids[2]]);
    equal(newer.has_more, true);
    const newest = await newer.getNextPage();
    deepEqual(newest.data.map(({ id }) => id), [ids[0]]);
    equal(newest.hasNextPage(), false);
  }));

Deno.test("the SDK uploads a file, which cannot be downloaded", () =>
  withAnthropic(async (client) => {
    const file = await client.files.upload({
      file: await toFile(new Blob(["hello"]), "folder/notes.txt", { type: "text/plain" }),
      expires_in_seconds: 3600,
    });
    equal(file.filename, "notes.txt");
    equal(file.size_bytes, 5);
    equal(file.mime_type, "text/plain");
    equal(file.downloadable, false);
    equal(file.expires_at, "2026-11-23T13:00:00.000000Z");
    deepEqual(await client.files.retrieveMetadata(file.id), file);
    await rejects(client.files.download(file.id), Anthropic.Files.FileNotDownloadableError);
    deepEqual(await client.files.delete(file.id), { id: file.id, type: "file_deleted" });
    await rejects(
      client.files.retrieveMetadata(file.id),
      failsWith(404, "not_found_error", /not found/),
    );
  }));

Deno.test("the SDK pages through files, or asks for some by id", () =>
  withAnthropic(async (client) => {
    const ids: string[] = [];
    for (const name of ["a", "b", "c"]) {
      ids.unshift((await client.files.upload({ file: await toFile(new Blob([name]), name) })).id);
    }
    const all = [];
    for await (const { id } of client.files.list({ limit: 2 })) all.push(id);
    deepEqual(all, ids);
    const some = [ids[0] ?? "", ids[2] ?? ""];
    deepEqual((await client.files.list({ ids: some })).data.map(({ id }) => id), some);
  }));

Deno.test("the SDK is refused with a wrong key", () =>
  withAnthropic(async (client) => {
    await rejects(
      client.messages.batches.list(),
      failsWith(401, "authentication_error", /Invalid bearer token/),
    );
  }, "another-key"));
