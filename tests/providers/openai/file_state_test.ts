import assert from "node:assert/strict";
import { Failure } from "../../../codecs/failure.ts";
import { fileId, jobId } from "../../../codecs/ids.ts";
import type { NewBatch } from "../../../providers/provider.ts";
import { chunks, quiet, serve, world } from "../harness.ts";
import { openaiAccount } from "./account.ts";

const stored = {
  id: "file-abc",
  object: "file",
  bytes: 5,
  created_at: 1_787_176_071,
  expires_at: 1_789_768_071,
  filename: "in.jsonl",
  purpose: "batch",
  status: "processed",
};
const id = fileId("file-abc");

const order: NewBatch = {
  jobId: jobId("abcdefghij01"),
  jobName: "night",
  modelId: "gpt-4o-mini",
  input: fileId("file-in"),
  tags: { endpoint: "/v1/chat/completions", team: "a" },
};

const failing = (kind: string) => (error: unknown) =>
  error instanceof Failure && error.kind === kind;

/** A service that looks through an upload first, and tells these states one after the other. */
function lookingServer(states: readonly (string | number)[]) {
  const left = [...states];
  const asked: string[] = [];
  const server = serve(async (request) => {
    await request.body?.cancel();
    asked.push(request.method);
    if (request.method === "DELETE") return Response.json({ deleted: true });
    const state = left.length > 1 ? left.shift() : left[0];
    return typeof state === "number"
      ? Response.json({ error: { message: "No such file", type: "invalid_request_error" } }, {
        status: state,
      })
      : Response.json({ ...stored, status: state, status_details: "Line 2 is wrong." });
  });
  return { ...server, asked };
}

const upload = () => ({
  name: "in.jsonl",
  contentType: "application/jsonl",
  bytes: 5,
  body: chunks(["hello"]),
});

for (
  const [states, looks] of [
    [["processed"], 0],
    [["uploaded"], 0],
    [["pending", "processed"], 1],
    [["notRunning", "running", "succeeded"], 2],
    [["pending", 404, "pending", "processed"], 3],
    [["pending"], 10],
  ] as const
) {
  Deno.test(`a put of a file that is ${states.join(", then ")} looks at it ${looks} times`, async () => {
    await using server = lookingServer(states);
    await using w = world();
    const file = await openaiAccount(server.url, w).files.put(upload(), quiet());
    assert.equal(file.id, id);
    assert.deepEqual(server.asked, ["POST", ...Array(looks).fill("GET")]);
  });
}

Deno.test("a file that its service cannot use is refused with the reason, and deleted again", async () => {
  await using server = lookingServer(["pending", "error"]);
  await using w = world();
  const put = openaiAccount(server.url, w).files.put(upload(), quiet());
  await assert.rejects(
    put,
    (error) => failing("invalid")(error) && /Line 2 is wrong/.test(`${error}`),
  );
  assert.deepEqual(server.asked, ["POST", "GET", "DELETE"]);
});

for (const [state, notReady] of [["pending", true], ["processed", false]] as const) {
  Deno.test(`a refusal of a batch whose file is ${state} ${notReady ? "is" : "is not"} for now`, async () => {
    await using server = serve(async (request) => {
      await request.body?.cancel();
      if (request.method === "GET") {
        return Response.json({ id: "file-in", object: "file", status: state });
      }
      const error = { message: "The file cannot be used.", type: "invalid_request_error" };
      return Response.json({ error }, { status: 400 });
    });
    await using w = world();
    const created = openaiAccount(server.url, w).batches.create(order, quiet());
    await assert.rejects(created, (error) => {
      assert.ok(error instanceof Failure);
      assert.deepEqual([error.kind, error.details.notReady ?? false], ["invalid", notReady]);
      return true;
    });
  });
}
