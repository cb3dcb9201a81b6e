import assert from "node:assert/strict";
import { Failure } from "../../../codecs/failure.ts";
import { batchId, fileId, jobId } from "../../../codecs/ids.ts";
import type { NewBatch } from "../../../providers/provider.ts";
import { quiet, serve, world } from "../harness.ts";
import { openaiAccount } from "./account.ts";

const created = {
  id: "batch_1",
  object: "batch",
  endpoint: "/v1/chat/completions",
  errors: null,
  input_file_id: "file-in",
  status: "validating",
  output_file_id: null,
  error_file_id: null,
  created_at: 100,
  expires_at: 86_500,
  request_counts: { total: 0, completed: 0, failed: 0 },
  metadata: { batchway_job: "abcdefghij01", batchway_name: "night", team: "a" },
};

const order: NewBatch = {
  jobId: jobId("abcdefghij01"),
  jobName: "night",
  modelId: "gpt-4o-mini",
  input: fileId("file-in"),
  tags: { endpoint: "/v1/chat/completions", team: "a" },
};

const line = '{"custom_id":"1","method":"POST","url":"/v1/embeddings","body":{}}';

/** A server of batches that keeps what was posted; `input` is the content of each file. */
function batchServer(input = "", batch: Record<string, unknown> = {}) {
  const posted: Record<string, unknown>[] = [];
  const server = serve(async (request) => {
    if (request.url.endsWith("/content")) return new Response(input);
    if (request.method === "POST") posted.push(await request.json());
    return Response.json({ ...created, ...batch });
  });
  return { ...server, posted };
}

Deno.test("a batch is created with job id, job name and tags in its metadata", async () => {
  await using server = batchServer();
  await using w = world();
  const batch = await openaiAccount(server.url, w).batches.create(order, quiet());
  assert.deepEqual(server.posted, [{
    input_file_id: "file-in",
    endpoint: "/v1/chat/completions",
    completion_window: "24h",
    metadata: {
      batchway_job: "abcdefghij01",
      batchway_name: "night",
      endpoint: "/v1/chat/completions",
      team: "a",
    },
  }]);
  assert.deepEqual(batch, {
    id: "batch_1",
    jobId: "abcdefghij01",
    name: "night",
    modelId: undefined,
    status: "Validating",
    rawStatus: "validating",
    input: "file-in",
    results: [],
    createdAt: new Date(100_000),
    endedAt: undefined,
    expiresAt: new Date(86_500_000),
    counts: undefined,
    message: undefined,
    tags: { team: "a" },
  });
  assert.deepEqual(server.requests, ["POST /v1/batches"]);
});

Deno.test("without the tag the endpoint is the url of the first line that holds a record", async () => {
  await using server = batchServer(`\n  \r\n${line}\n{"url":"/v1/other"}\n`);
  await using w = world();
  await openaiAccount(server.url, w).batches.create({ ...order, tags: {} }, quiet());
  assert.equal(server.posted[0]?.["endpoint"], "/v1/embeddings");
  assert.deepEqual(server.requests, ["GET /v1/files/file-in/content", "POST /v1/batches"]);
});

Deno.test("no more of a large input is read than its first line", async () => {
  let pulled = 0;
  await using server = serve((request) => {
    if (request.method === "POST") return Response.json(created);
    const rest = new TextEncoder().encode(`${line}\n`.repeat(1000));
    return new Response(
      new ReadableStream({
        pull(controller) {
          pulled++;
          if (pulled > 4000) controller.close();
          else controller.enqueue(rest);
        },
      }),
    );
  });
  await using w = world();
  await openaiAccount(server.url, w).batches.create({ ...order, tags: {} }, quiet());
  // Some megabytes are in the sockets' buffers by then; the file has 270.
  assert.ok(pulled < 1000, `${pulled} chunks`);
});

Deno.test("the endpoint of a long first line is found wherever its url stands", async () => {
  const body = `{"input":["${"x".repeat(2_000_000)}",${"[],".repeat(300_000)}0]}`;
  const lines = [
    `{"custom_id":"a","body":${body},"url":"/v1/embeddings"}\n`,
    `{"url":"/v1/embed\\u0064ings","custom_id":"a","body":${body}}\n`,
    `{"url":7,"body":${body},"url":"/v1/embeddings"}\n`,
  ];
  for (const input of lines) {
    await using server = batchServer(input);
    await using w = world();
    await openaiAccount(server.url, w).batches.create({ ...order, tags: {} }, quiet());
    assert.equal(server.posted[0]?.["endpoint"], "/v1/embeddings");
  }
});

const unclear = {
  "a long line that is not JSON": `{"url":"/v1/embeddings","body":"${"x".repeat(1_000_000)}"\n`,
  "an empty file": "",
  "blank lines": "\n \n",
  "no JSON": "hello\n",
  "a line without a url": '{"recordId":"1","modelInput":{}}\n',
  "a url that is a whole address": '{"url":"https://api.openai.com/v1/embeddings"}\n',
};
for (const [what, input] of Object.entries(unclear)) {
  Deno.test(`${what} does not tell an endpoint, and no batch is created`, async () => {
    await using server = batchServer(input);
    await using w = world();
    await assert.rejects(
      openaiAccount(server.url, w).batches.create({ ...order, tags: {} }, quiet()),
      (error) => error instanceof Failure && error.kind === "invalid",
    );
    assert.deepEqual(server.posted, []);
  });
}

Deno.test("tags that do not fit into metadata are left out, job id and name never", async () => {
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`k${n}`, "v"]));
  const tags = {
    endpoint: "/v1/responses",
    ["k".repeat(65)]: "v",
    long: "v".repeat(513),
    batchway_job: "forged",
    ["k".repeat(64)]: "v".repeat(512),
    ...many,
  };
  await using server = batchServer();
  await using w = world();
  await openaiAccount(server.url, w).batches.create({ ...order, tags }, quiet());
  const metadata = server.posted[0]?.["metadata"] as Record<string, string>;
  assert.equal(Object.keys(metadata).length, 16);
  assert.equal(metadata["batchway_job"], "abcdefghij01");
  assert.equal(metadata["k".repeat(64)]?.length, 512);
  assert.equal(metadata["long"], undefined);
  assert.equal(metadata["k".repeat(65)], undefined);
});

Deno.test("an unknown input is named", async () => {
  await using server = serve(() => Response.json({ error: { message: "no" } }, { status: 404 }));
  await using w = world();
  await assert.rejects(
    openaiAccount(server.url, w).batches.create(order, quiet()),
    (error) =>
      error instanceof Failure && error.kind === "not-found" && /file-in/.test(error.message),
  );
});

Deno.test("a batch whose creation was answered with nonsense has an unknown outcome", async () => {
  await using server = serve(() => Response.json({ fine: true }));
  await using w = world();
  await assert.rejects(
    openaiAccount(server.url, w).batches.create(order, quiet()),
    (error) => error instanceof Failure && error.details.outcomeUnknown === true,
  );
  assert.equal(server.requests.length, 1);
});

const ends = [
  [{ status: "in_progress" }, "InProgress", undefined],
  [{ status: "finalizing" }, "InProgress", undefined],
  [{ status: "brand_new" }, "InProgress", undefined],
  [{ status: "toString" }, "InProgress", undefined],
  [{ status: "cancelling", cancelling_at: 200 }, "Stopping", undefined],
  [{ status: "completed", completed_at: 200 }, "Completed", 200],
  [{ status: "failed", failed_at: 201 }, "Failed", 201],
  [{ status: "cancelled", cancelled_at: 202, cancelling_at: 150 }, "Stopped", 202],
  [{ status: "expired", expired_at: 203 }, "Expired", 203],
  [{ status: "expired", expired_at: 203, output_file_id: "file-o" }, "PartiallyCompleted", 203],
  [{ status: "COMPLETED", completed_at: "1970-01-01T00:03:20Z" }, "Completed", 200],
  [{ status: "Completed", completed_at: 0 }, "Completed", undefined],
  [{ status: "In Progress" }, "InProgress", undefined],
  [{ status: "inProgress" }, "InProgress", undefined],
  [{ status: "VALIDATING" }, "Validating", undefined],
  [{ status: "Cancelled", cancelled_at: 202 }, "Stopped", 202],
  [{ status: "CANCELED", cancelled_at: "202" }, "Stopped", 202],
  [{ status: "EXPIRED", output_file_id: "file-o", expired_at: 203 }, "PartiallyCompleted", 203],
  [{ status: "PAUSED" }, "InProgress", undefined],
] as const;
for (const [batch, status, endedAt] of ends) {
  Deno.test(`a batch with ${JSON.stringify(batch)} is ${status}`, async () => {
    await using server = batchServer("", batch);
    await using w = world();
    const read = await openaiAccount(server.url, w).batches.get(batchId("batch_1"), quiet());
    assert.equal(read.status, status);
    assert.equal(read.rawStatus, batch.status);
    const isUnknown = ["brand_new", "toString", "PAUSED"].includes(batch.status);
    assert.equal(read.unknownStatus ?? false, isUnknown);
    assert.equal(read.message?.includes(`"${batch.status}"`) ?? false, isUnknown);
    assert.deepEqual(read.endedAt, endedAt === undefined ? undefined : new Date(endedAt * 1000));
  });
}

Deno.test("results are output first, then errors; either may be missing", async () => {
  for (
    const [output, errors, results] of [
      ["file-o", "file-e", ["file-o", "file-e"]],
      [null, "file-e", ["file-e"]],
      ["file-o", undefined, ["file-o"]],
    ]
  ) {
    await using server = batchServer("", {
      status: "completed",
      output_file_id: output,
      error_file_id: errors,
      request_counts: { total: 9, completed: 6, failed: 2 },
      model: "gpt-4o-mini-2024",
    });
    await using w = world();
    const batch = await openaiAccount(server.url, w).batches.get(batchId("batch_1"), quiet());
    assert.deepEqual(batch.results, results);
    assert.deepEqual(batch.counts, { total: 9, processed: 8, success: 6, error: 2 });
    assert.equal(batch.modelId, "gpt-4o-mini-2024");
  }
});

Deno.test("the reasons why a batch failed are listed line by line, within 2,048 characters and without keys", async () => {
  const data = [
    { code: "invalid_json_line", line: 1, message: "This line is not parseable as valid JSON." },
    { code: "model_not_found", line: null, message: "Not with key sk-test." },
    ...Array.from({ length: 200 }, () => ({ code: "x", line: 2, message: "again and again" })),
  ];
  await using server = batchServer("", { status: "failed", errors: { object: "list", data } });
  await using w = world();
  const { message } = await openaiAccount(server.url, w).batches.get(batchId("batch_1"), quiet());
  assert.match(
    message ?? "",
    /^Line 1: This line is not parseable as valid JSON\. Not with key \[masked\]\. Line 2: /,
  );
  assert.ok((message ?? "").length <= 2048);
});

const wordings: readonly [unknown, string | undefined][] = [
  ["The file is empty.", "The file is empty."],
  [["No such model.", "Line 3 is wrong."], "No such model. Line 3 is wrong."],
  [[{ line: 2, message: "Not JSON." }], "Line 2: Not JSON."],
  [{ message: "Out of quota." }, "Out of quota."],
  [{ data: ["One.", { code: "two" }] }, "One. two"],
  [{ data: [{ line: 4 }] }, "Line 4: no reason given"],
  [{ detail: { message: "Nested." } }, "Nested."],
  [[], undefined],
  [7, undefined],
];
for (const [errors, told] of wordings) {
  Deno.test(`errors that are ${JSON.stringify(errors)} say ${told ?? "nothing"}`, async () => {
    for (const name of ["errors", "error"]) {
      await using server = batchServer("", { status: "failed", [name]: errors });
      await using w = world();
      const read = await openaiAccount(server.url, w).batches.get(batchId("batch_1"), quiet());
      assert.equal(read.message, told);
    }
  });
}

Deno.test("a native batch has no job id, and all its metadata are tags", async () => {
  await using server = batchServer("", { metadata: { batchway_job: "NOT-AN-ID", a: "b", n: 1 } });
  await using w = world();
  const batch = await openaiAccount(server.url, w).batches.get(batchId("batch_1"), quiet());
  assert.equal(batch.jobId, undefined);
  assert.equal(batch.name, undefined);
  assert.deepEqual(batch.tags, { a: "b" });
});

Deno.test("a batch that is over cannot be stopped, one that is stopping already can", async () => {
  for (
    const [status, refusal, expected] of [
      ["in_progress", undefined, undefined],
      ["cancelling", 409, undefined],
      ["completed", 409, "conflict"],
      ["failed", 400, "conflict"],
      ["in_progress", 400, "unavailable"],
      ["in_progress", 409, "unavailable"],
    ] as const
  ) {
    await using server = serve((request) =>
      request.method === "POST" && refusal !== undefined
        ? Response.json({ error: { message: "Cannot cancel" } }, { status: refusal })
        : Response.json({ ...created, status })
    );
    await using w = world();
    const stop = openaiAccount(server.url, w).batches.stop(batchId("batch_1"), quiet());
    const kind = await stop.then(() => undefined, (error) => (error as Failure).kind);
    assert.equal(kind, expected, `${status} ${refusal}`);
    assert.equal(server.requests[0], "POST /v1/batches/batch_1/cancel");
    assert.deepEqual(w.waits, []);
  }
});

Deno.test("batches are listed page by page", async () => {
  await using server = serve((request) =>
    Response.json({ data: [created], has_more: !request.url.includes("after") })
  );
  await using w = world();
  const { batches } = openaiAccount(server.url, w);
  const first = await batches.list(undefined, quiet());
  assert.equal(first.items[0]?.jobId, "abcdefghij01");
  const second = await batches.list(first.cursor, quiet());
  assert.equal(second.cursor, undefined);
  assert.deepEqual(server.requests, [
    "GET /v1/batches?limit=100",
    "GET /v1/batches?limit=100&after=batch_1",
  ]);
});

Deno.test("ids of batches are distinguished from other texts", async () => {
  await using w = world();
  const { batches } = openaiAccount("http://127.0.0.1:9", w);
  assert.equal(batches.parseId("batch_67"), "batch_67");
  for (const bad of ["batch_", "batch-1", "batches/1", "abcdefghij01", "batch_a/b"]) {
    assert.equal(batches.parseId(bad), undefined);
  }
});

Deno.test("a service's own window goes with its batches, and is named where it was too short", async () => {
  await using server = batchServer("", { status: "expired", completion_window: "7d" });
  await using w = world();
  const { batches } = openaiAccount(server.url, w, { completionWindow: "7d" });
  const { message } = await batches.create(order, quiet());
  assert.equal(server.posted[0]?.["completion_window"], "7d");
  assert.match(message ?? "", /within its completion window \(7d\)/);
});
