import assert from "node:assert/strict";
import { Failure, type FailureKind } from "../../../codecs/failure.ts";
import { batchId, fileId, jobId } from "../../../codecs/ids.ts";
import { parseDisplayName, readBatch } from "../../../providers/gemini/batch.ts";
import { quiet } from "../harness.ts";
import { geminiAccount, key, refusal } from "./account.ts";

const id = batchId("batches/o6k1ogsv4ylk6jcfmgi5pdzm5s0dukmv3ehu");
const job = jobId("m2abcdef1234");

const newBatch = {
  jobId: job,
  jobName: "nightly [1]",
  modelId: "gemini-2.5-flash",
  input: fileId("files/abc-1"),
  tags: { team: "a" },
};

/** An operation as Gemini sent it in July 2026, shortened. */
function operation(metadata: Record<string, unknown>, rest: Record<string, unknown> = {}) {
  return {
    name: id,
    metadata: {
      "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
      name: id,
      model: "models/gemini-2.5-flash",
      displayName: `nightly [1] [batchway:${job}]`,
      inputConfig: { fileName: "files/abc-1" },
      createTime: "2026-07-02T14:40:59.019821594Z",
      updateTime: "2026-07-02T15:00:00Z",
      state: "BATCH_STATE_PENDING",
      ...metadata,
    },
    ...rest,
  };
}

const failsWith = (kind: FailureKind) => (error: unknown) =>
  error instanceof Failure && error.kind === kind;

Deno.test("creating names model, file and job, and the job can be read back", async () => {
  const bodies: unknown[] = [];
  await using one = geminiAccount(async (request) => {
    bodies.push(await request.json());
    return Response.json(operation({}));
  });
  const batch = await one.batches.create(newBatch, quiet());
  assert.deepEqual(one.server.requests, [
    "POST /v1beta/models/gemini-2.5-flash:batchGenerateContent",
  ]);
  assert.deepEqual(bodies, [{
    batch: {
      displayName: `nightly [1] [batchway:${job}]`,
      model: "models/gemini-2.5-flash",
      inputConfig: { fileName: "files/abc-1" },
    },
  }]);
  assert.deepEqual(batch, {
    id,
    jobId: job,
    name: "nightly [1]",
    modelId: "gemini-2.5-flash",
    status: "Scheduled",
    rawStatus: "BATCH_STATE_PENDING",
    input: "files/abc-1",
    results: [],
    createdAt: new Date("2026-07-02T14:40:59.019Z"),
    endedAt: undefined,
    expiresAt: new Date("2026-07-04T14:40:59.019Z"),
    counts: undefined,
    message: undefined,
    tags: {},
  });
});

for (
  const [modelId, path] of [
    ["models/gemini-2.5-flash", "models/gemini-2.5-flash"],
    ["tunedModels/mine-1", "tunedModels/mine-1"],
    ["../v1/x", undefined],
    ["models/a:generateContent?x=", undefined],
    ["anthropic.claude-3-haiku-20240307-v1:0", undefined],
    ["", undefined],
  ] as const
) {
  Deno.test(`the model "${modelId}" is ${path ?? "refused before anything is sent"}`, async () => {
    await using one = geminiAccount(() => Response.json(operation({})));
    const created = one.batches.create({ ...newBatch, modelId }, quiet());
    if (path === undefined) await assert.rejects(created, failsWith("invalid"));
    else await created;
    assert.deepEqual(
      one.server.requests,
      path === undefined ? [] : [`POST /v1beta/${path}:batchGenerateContent`],
    );
  });
}

Deno.test("creating is never repeated on an error, whose outcome is unknown", async () => {
  await using one = geminiAccount(() => refusal(503, "UNAVAILABLE", "overloaded"));
  await assert.rejects(
    one.batches.create(newBatch, quiet()),
    (error) =>
      failsWith("unavailable")(error) && (error as Failure).details.outcomeUnknown === true,
  );
  assert.equal(one.server.requests.length, 1);
});

Deno.test("Gemini's reason for refusing a batch is shown, without the key", async () => {
  await using one = geminiAccount(() =>
    refusal(400, "INVALID_ARGUMENT", `Bad display name\u0000 for ${key}`)
  );
  await assert.rejects(
    one.batches.create(newBatch, quiet()),
    (error) => failsWith("invalid")(error) && /Bad display name for \[masked\]/.test(String(error)),
  );
});

Deno.test("an input that has expired is not found, though Gemini speaks of permission", async () => {
  await using one = geminiAccount(() => refusal(403, "PERMISSION_DENIED", "or it may not exist"));
  await assert.rejects(
    one.batches.create(newBatch, quiet()),
    (error) => failsWith("not-found")(error) && String(error).includes("files/abc-1"),
  );
});

Deno.test("a model that may not be used is denied where the input is there", async () => {
  await using one = geminiAccount((request) =>
    request.method === "GET"
      ? Response.json({ name: "files/abc-1" })
      : refusal(403, "PERMISSION_DENIED", "no")
  );
  await assert.rejects(one.batches.create(newBatch, quiet()), failsWith("denied"));
});

const output = { output: { responsesFile: "files/batch-o6k1" } };
const states: [name: string, operation: Record<string, unknown>, status: string][] = [
  ["running", operation({ state: "BATCH_STATE_RUNNING" }), "InProgress"],
  [
    "succeeded with its file",
    operation({ state: "BATCH_STATE_SUCCEEDED", ...output }),
    "Completed",
  ],
  [
    "succeeded in the SDKs' word, its file in the response",
    operation({ state: "JOB_STATE_SUCCEEDED" }, {
      response: { responsesFile: "files/batch-o6k1" },
    }),
    "Completed",
  ],
  [
    "succeeded before its file is there",
    operation({ state: "BATCH_STATE_SUCCEEDED" }),
    "Completed",
  ],
  [
    "succeeded inline",
    operation({ state: "BATCH_STATE_SUCCEEDED", inputConfig: undefined, displayName: "theirs" }),
    "Completed",
  ],
  ["cancelled", operation({ state: "BATCH_STATE_CANCELLED" }), "Stopped"],
  ["expired", operation({ state: "BATCH_STATE_EXPIRED" }), "Expired"],
  ["in a state of the future", operation({ state: "BATCH_STATE_DREAMING" }), "InProgress"],
  ["named like a method", operation({ state: "constructor" }), "InProgress"],
  ["failed without a state", operation({ state: undefined }, { done: true, error: {} }), "Failed"],
];
for (const [name, given, status] of states) {
  Deno.test(`a batch that ${name} is ${status}`, () => {
    const read = readBatch(given, []);
    assert.equal(read?.status, status);
    const isUnknown = /future|method|without a state/.test(name);
    assert.equal(read?.unknownStatus ?? false, isUnknown);
  });
}

Deno.test("a finished batch reports its result, its end and its counts, zeros left out", () => {
  const batch = readBatch(
    operation({
      state: "BATCH_STATE_SUCCEEDED",
      ...output,
      endTime: "2026-07-02T15:10:00Z",
      batchStats: { requestCount: "4", successfulRequestCount: "3" },
    }),
    [],
  );
  assert.deepEqual(batch?.results, ["files/batch-o6k1"]);
  assert.equal(batch?.endedAt?.toISOString(), "2026-07-02T15:10:00.000Z");
  assert.deepEqual(batch?.counts, { total: 4, processed: 3, success: 3, error: 0 });
});

Deno.test("the reason why a batch failed has at most 2,048 characters and no key", () => {
  const message = `Error on line 1: no such field. ${key} ` + "x".repeat(5_000);
  const failed = operation({ state: "BATCH_STATE_FAILED" }, { error: { code: 3, message } });
  const told = readBatch(failed, [key])?.message ?? "";
  assert.match(told, /^Error on line 1: no such field\. \[masked\]/);
  assert.equal(told.length, 2_048);
});

Deno.test("the reason why a batch failed is read in whichever form it comes", () => {
  for (const error of ["Why.", { message: "Why." }, ["Why."], { error: { message: "Why." } }]) {
    for (const place of [[{}, { error }], [{ error }, {}]] as const) {
      const [metadata, rest] = place;
      const failed = operation({ state: "BATCH_STATE_FAILED", ...metadata }, rest);
      assert.equal(readBatch(failed, [])?.message, "Why.", JSON.stringify(error));
    }
  }
});

Deno.test("a name of another program's stays whole and makes no job id", () => {
  for (
    const name of ["theirs", "x [batchway:short]", `[batchway:${job}]`, `x [batchway:${job}] y`]
  ) {
    assert.deepEqual(parseDisplayName(name), { name, jobId: undefined });
  }
  const batch = readBatch(operation({ displayName: undefined }), []);
  assert.deepEqual([batch?.name, batch?.jobId], [undefined, undefined]);
});

Deno.test("the list is read as operations, page after page", async () => {
  await using one = geminiAccount((request) =>
    new URL(request.url).searchParams.has("pageToken")
      ? Response.json({})
      : Response.json({ operations: [operation({})], nextPageToken: "t" })
  );
  const first = await one.batches.list(undefined, quiet());
  assert.deepEqual(first.items.map((batch) => batch.jobId), [job]);
  assert.deepEqual(await one.batches.list(first.cursor, quiet()), { items: [] });
});

Deno.test("stopping a running batch cancels it; one that is over is a conflict", async () => {
  let state = "BATCH_STATE_RUNNING";
  await using one = geminiAccount((request) =>
    request.method === "POST" ? Response.json({}) : Response.json(operation({ state }))
  );
  await one.batches.stop(id, quiet());
  assert.deepEqual(one.server.requests, [`GET /v1beta/${id}`, `POST /v1beta/${id}:cancel`]);
  state = "BATCH_STATE_CANCELLED";
  await assert.rejects(one.batches.stop(id, quiet()), failsWith("conflict"));
  assert.equal(one.server.requests.filter((request) => request.startsWith("POST")).length, 1);
});

Deno.test("a batch that ends between look and stop is a conflict too", async () => {
  let state = "BATCH_STATE_RUNNING";
  await using one = geminiAccount((request) => {
    if (request.method === "GET") return Response.json(operation({ state }));
    state = "BATCH_STATE_FAILED";
    return refusal(400, "FAILED_PRECONDITION", "not running");
  });
  await assert.rejects(one.batches.stop(id, quiet()), failsWith("conflict"));
});

Deno.test("an unknown batch is not found", async () => {
  await using one = geminiAccount(() => refusal(404, "NOT_FOUND", "no"));
  await assert.rejects(one.batches.get(id, quiet()), failsWith("not-found"));
  await assert.rejects(one.batches.stop(id, quiet()), failsWith("not-found"));
});

for (
  const [name, parsed] of [
    [id, id],
    [id.slice("batches/".length), id],
    ["batches/abcdef123456", "batches/abcdef123456"],
    ["abcdef123456", undefined],
    ["batch_abc", undefined],
    ["batches/a/b", undefined],
  ] as const
) {
  Deno.test(`"${name}" is ${parsed ?? "no batch id"}`, async () => {
    await using one = geminiAccount(() => new Response());
    assert.equal(one.batches.parseId(name), parsed);
  });
}
