/** OpenAI's own SDK drives the simulated Batch API through the whole life of batches. */
import { deepEqual, equal, match, notDeepEqual, ok, rejects } from "node:assert/strict";
import OpenAI from "../../sdks/openai.ts";
import { line, results, startBatch, uploadLines, withOpenAI } from "./harness.ts";

const ids = (lines: readonly { custom_id: string }[]) => lines.map(({ custom_id }) => custom_id);

Deno.test("A batch runs from validating to completed, with its results", async () => {
  await withOpenAI(async ({ client, clock }) => {
    const created = clock.now().getTime() / 1000;
    const lines = ["a", "bb", "ccc", "dddd"].map((id) => line(id));
    const { id, status } = await startBatch(client, lines);
    match(id, /^batch_[a-z0-9]{32}$/);
    equal(status, "validating");
    const seen: unknown[] = [];
    for (let second = 0; second <= 100; second += 10) {
      const { status, request_counts: counts } = await client.batches.retrieve(id);
      seen.push([second, status, counts?.total, counts?.completed]);
      clock.advance(10);
    }
    deepEqual(seen, [
      [0, "validating", 0, 0],
      [10, "validating", 0, 0],
      [20, "in_progress", 4, 0],
      [30, "in_progress", 4, 0],
      [40, "in_progress", 4, 1],
      [50, "in_progress", 4, 2],
      [60, "in_progress", 4, 2],
      [70, "in_progress", 4, 3],
      [80, "finalizing", 4, 4],
      [90, "finalizing", 4, 4],
      [100, "completed", 4, 4],
    ]);

    clock.advance(10_000);
    const batch = await client.batches.retrieve(id);
    equal(batch.in_progress_at, created + 20);
    equal(batch.finalizing_at, created + 80);
    equal(batch.completed_at, created + 100);
    equal(batch.expires_at, created + 1000);
    equal(batch.cancelled_at, null);
    equal(batch.model, "gpt-4o-mini");
    deepEqual(batch.metadata, { job: "j1" });
    equal(batch.error_file_id, null);
    const output = await results(client, batch.output_file_id);
    notDeepEqual(ids(output), ["a", "bb", "ccc", "dddd"], "the order must not be the input's");
    deepEqual(ids(output).sort(), ["a", "bb", "ccc", "dddd"]);
    let tokens = 0;
    for (const { id, custom_id, response, error } of output) {
      match(id, /^batch_req_/);
      equal(error, null);
      equal(response?.status_code, 200);
      const body = response?.body as OpenAI.ChatCompletion;
      const length = custom_id.length;
      equal(body.choices[0]?.message.content, `${length} + 2 = ${length + 2}`);
      const usage = body.usage;
      ok(usage && usage.prompt_tokens > 0 && usage.completion_tokens > 0);
      equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
      tokens += usage.total_tokens;
    }
    equal(batch.usage?.total_tokens, tokens);
    const file = await client.files.retrieve(batch.output_file_id ?? "");
    equal(file.purpose, "batch_output");
    equal(file.filename, `${id}_output.jsonl`);
  });
});

Deno.test("Records that fail are in the error file, and only there", async () => {
  await withOpenAI(async ({ client, clock }) => {
    const { id } = await startBatch(client, [line("good"), line("error-1"), line("error-2")]);
    clock.advance(100);
    const batch = await client.batches.retrieve(id);
    equal(batch.status, "completed");
    deepEqual({ ...batch.request_counts }, { total: 3, completed: 1, failed: 2 });
    deepEqual(ids(await results(client, batch.output_file_id)), ["good"]);
    const errors = await results(client, batch.error_file_id);
    deepEqual(ids(errors), ["error-1", "error-2"]);
    for (const { response, error } of errors) {
      equal(error, null);
      equal(response?.status_code, 400);
      const body = response?.body as { error: Record<string, unknown> };
      deepEqual(Object.keys(body.error).sort(), ["code", "message", "param", "type"]);
    }
  });
});

Deno.test("Where every record fails there is no output file", async () => {
  await withOpenAI(async ({ client, clock }) => {
    const body = { model: "fail-me", messages: [] };
    const { id } = await startBatch(client, [line("a", { body }), line("b", { body })]);
    clock.advance(100);
    const batch = await client.batches.retrieve(id);
    equal(batch.status, "completed");
    equal(batch.output_file_id, null);
    equal((await results(client, batch.error_file_id)).length, 2);
  });
});

Deno.test("An input file that is not right fails the batch, and says where", async () => {
  const cases: [name: string, lines: string[], code: string, line: number | null][] = [
    ["no JSON", [line("a"), "", "{broken"], "invalid_json_line", 3],
    ["no object", ["7"], "invalid_json_line", 1],
    ["one id twice", [line("a"), line("b"), line("a")], "duplicate_custom_id", 3],
    ["other URL", [line("a", { url: "/v1/embeddings" })], "url_mismatch", 1],
    ["two models", [line("a"), line("b", { body: { model: "x" } })], "model_mismatch", 2],
    ["no id", [line("a", { custom_id: undefined })], "missing_required_parameter", 1],
    ["no model", [line("a", { body: {} })], "missing_required_parameter", 1],
    ["GET", [line("a", { method: "GET" })], "invalid_method", 1],
    ["stream", [line("a", { body: { model: "x", stream: true } })], "invalid_request", 1],
    ["empty", [], "empty_file", null],
    ["blank", ["", " "], "empty_file", null],
  ];
  for (const [name, lines, code, number] of cases) {
    await withOpenAI(async ({ client, clock }) => {
      const { id } = await startBatch(client, lines);
      clock.advance(20);
      const batch = await client.batches.retrieve(id);
      equal(batch.status, "failed", name);
      const [error] = batch.errors?.data ?? [];
      deepEqual([error?.code, error?.line], [code, number], name);
      ok(error?.message);
      equal(batch.in_progress_at, null);
      equal(batch.output_file_id, null);
      clock.advance(1000);
      equal((await client.batches.retrieve(id)).status, "failed");
    });
  }
});

Deno.test("A file of 50,000 requests runs, one of 50,001 fails", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const lines = Array.from({ length: 50_001 }, (_, index) => line(`r-${index}`));
    await withOpenAI(async ({ client, clock }) => {
      const most = await startBatch(client, lines.slice(1));
      const more = await startBatch(client, lines);
      clock.advance(100);
      const failed = await client.batches.retrieve(more.id);
      equal(failed.errors?.data?.[0]?.code, "too_many_tasks");
      const batch = await client.batches.retrieve(most.id);
      deepEqual({ ...batch.request_counts }, { total: 50_000, completed: 50_000, failed: 0 });
      const output = ids(await results(client, batch.output_file_id));
      equal(new Set(output).size, 50_000);
      equal(output.length, 50_000);
    }, { folder });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("A cancelled batch gives what it has done", async () => {
  await withOpenAI(async ({ client, clock }) => {
    const lines = ["a", "b", "c", "d"].map((id) => line(id));
    const { id } = await startBatch(client, lines);
    clock.advance(50);
    equal((await client.batches.cancel(id)).status, "cancelling");
    clock.advance(1);
    await rejects(client.batches.cancel(id), OpenAI.ConflictError);
    const running = await client.batches.retrieve(id);
    equal(running.status, "cancelling");
    equal(running.output_file_id, null);
    clock.advance(19);
    const batch = await client.batches.retrieve(id);
    equal(batch.status, "cancelled");
    equal(batch.cancelled_at, (batch.cancelling_at ?? 0) + 20);
    equal(batch.completed_at, null);
    deepEqual(ids(await results(client, batch.output_file_id)), ["b", "a"]);
    const rest = await results(client, batch.error_file_id);
    deepEqual(rest.map(({ custom_id, response, error }) => [custom_id, response, error?.code]), [
      ["c", null, "batch_cancelled"],
      ["d", null, "batch_cancelled"],
    ]);
    await rejects(client.batches.cancel(id), OpenAI.ConflictError);
  });
});

Deno.test("A batch cancelled before it ran has no files", async () => {
  await withOpenAI(async ({ client, clock }) => {
    const { id } = await startBatch(client, [line("a")]);
    equal((await client.batches.cancel(id)).status, "cancelling");
    clock.advance(500);
    const batch = await client.batches.retrieve(id);
    equal(batch.status, "cancelled");
    equal(batch.output_file_id ?? batch.error_file_id, null);
  });
});

Deno.test("A batch that is over cannot be cancelled", async () => {
  await withOpenAI(async ({ client, clock }) => {
    const { id } = await startBatch(client, [line("a")]);
    clock.advance(100);
    await rejects(client.batches.cancel(id), OpenAI.ConflictError);
    equal((await client.batches.retrieve(id)).status, "completed");
  });
});

Deno.test("A batch expires with what it has done", async () => {
  await withOpenAI(async ({ client, clock }) => {
    const lines = ["a", "b", "c", "d"].map((id) => line(id));
    const { id } = await startBatch(client, lines);
    clock.advance(100);
    const batch = await client.batches.retrieve(id);
    equal(batch.status, "expired");
    equal(batch.expired_at, batch.created_at + 50);
    deepEqual(ids(await results(client, batch.output_file_id)), ["b", "a"]);
    const rest = await results(client, batch.error_file_id);
    deepEqual(rest.map(({ custom_id, error }) => [custom_id, error?.code]), [
      ["c", "batch_expired"],
      ["d", "batch_expired"],
    ]);
  }, { windowSeconds: 50 });
});

Deno.test("Batches are listed newest first, by page", async () => {
  await withOpenAI(async ({ client, clock }) => {
    const made: string[] = [];
    for (let i = 0; i < 5; i++) made.unshift((await startBatch(client, [line("a")])).id);
    clock.advance(100);
    const all: string[] = [];
    for await (const { id, status } of client.batches.list({ limit: 2 })) {
      equal(status, "completed");
      all.push(id);
    }
    deepEqual(all, made);
    await rejects(async () => await client.batches.list({ limit: 101 }), OpenAI.BadRequestError);
  });
});

Deno.test("What cannot be a batch is refused at once", async () => {
  await withOpenAI(async ({ client }) => {
    const { id: input_file_id } = await uploadLines(client, [line("a")]);
    const right = {
      input_file_id,
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
    } as const;
    const create = (changes: Record<string, unknown>) =>
      client.batches.create({ ...right, ...changes });
    await rejects(create({ input_file_id: "file-none" }), OpenAI.NotFoundError);
    await rejects(create({ input_file_id: undefined }), /input_file_id/);
    await rejects(create({ endpoint: "/v1/chat" }), /endpoint/);
    await rejects(create({ completion_window: "1h" }), /completion_window/);
    await rejects(create({ metadata: { a: 1 } }), /metadata/);
    await rejects(create({ metadata: { ["k".repeat(65)]: "v" } }), /metadata/);
    await rejects(create({ metadata: { k: "v".repeat(513) } }), /metadata/);
    const many = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, "v"]));
    await rejects(create({ metadata: many }), /metadata/);
    await rejects(client.batches.retrieve("batch_none"), OpenAI.NotFoundError);
    deepEqual((await client.batches.list()).data, []);
    ok(await create({ metadata: { ["k".repeat(64)]: "v".repeat(512) } }));
  });
});

Deno.test("Responses and embeddings are answered in their own form", async () => {
  await withOpenAI(async ({ client, clock }) => {
    const body = { model: "m", input: "What is 20 + 22?" };
    const one = await startBatch(
      client,
      [line("r", { url: "/v1/responses", body })],
      "/v1/responses",
    );
    const two = await startBatch(
      client,
      [line("e", {
        url: "/v1/embeddings",
        body: { model: "m", input: ["a", "b"], dimensions: 8 },
      })],
      "/v1/embeddings",
    );
    clock.advance(100);
    const read = async (id: string) => {
      const [result] = await results(client, (await client.batches.retrieve(id)).output_file_id);
      return result?.response?.body;
    };
    const response = await read(one.id) as OpenAI.Responses.Response;
    const [message] = response.output;
    ok(message?.type === "message");
    deepEqual(message.content.map((part) => part.type === "output_text" && part.text), [
      "20 + 22 = 42",
    ]);
    const embeddings = await read(two.id) as OpenAI.CreateEmbeddingResponse;
    equal(embeddings.data.length, 2);
    equal(embeddings.data[0]?.embedding.length, 8);
    notDeepEqual(embeddings.data[0]?.embedding, embeddings.data[1]?.embedding);
  });
});

Deno.test("Lines of the output are lost and repeated on request", async () => {
  await withOpenAI(async ({ client, sandbox, clock }) => {
    await fetch(`${sandbox.controlUrl}/faults`, {
      method: "POST",
      body: JSON.stringify({ provider: "openai", loseResultLines: 1, repeatResultLines: 2 }),
    }).then((response) => response.body?.cancel());
    const { id } = await startBatch(client, ["a", "b", "c", "d"].map((id) => line(id)));
    clock.advance(100);
    const { output_file_id } = await client.batches.retrieve(id);
    deepEqual(ids(await results(client, output_file_id)), ["c", "c", "b", "b", "a"]);
    deepEqual(ids(await results(client, output_file_id)), ["c", "c", "b", "b", "a"]);
  });
});

Deno.test("Many who ask at the same time see one and the same result", async () => {
  await withOpenAI(async ({ client, clock }) => {
    const { id } = await startBatch(client, [line("a"), line("error-b")]);
    clock.advance(100);
    const seen = await Promise.all(Array.from({ length: 8 }, () => client.batches.retrieve(id)));
    equal(new Set(seen.map((batch) => JSON.stringify(batch))).size, 1);
    equal(seen[0]?.status, "completed");
    equal((await client.files.list({ purpose: "batch_output" })).data.length, 2);
  });
});

Deno.test("A batch whose input was deleted fails and says so", async () => {
  await withOpenAI(async ({ client, clock }) => {
    const { id, input_file_id } = await startBatch(client, [line("a")]);
    clock.advance(30);
    equal((await client.batches.retrieve(id)).status, "in_progress");
    await client.files.delete(input_file_id);
    clock.advance(100);
    const batch = await client.batches.retrieve(id);
    equal(batch.status, "failed");
    match(batch.errors?.data?.[0]?.message ?? "", /deleted/);
  });
});

Deno.test("A batch goes on after a restart", async () => {
  const folder = await Deno.makeTempDir();
  try {
    let id = "";
    await withOpenAI(async ({ client }) => {
      ({ id } = await startBatch(client, [line("a")]));
    }, { folder });
    await withOpenAI(async ({ client, clock }) => {
      clock.advance(100);
      const { output_file_id } = await client.batches.retrieve(id);
      deepEqual(ids(await results(client, output_file_id)), ["a"]);
    }, { folder });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
