/** Provider files by their ids: results of jobs, and native files that jobs read. */
import assert from "node:assert/strict";
import { sandboxKeys } from "../../sandbox/context.ts";
import { files, jobOf, line } from "./operations.ts";
import type { Ask, Key } from "./sign.ts";
import { withWorld, type World } from "./world.ts";

const authorization = `Bearer ${sandboxKeys.openai}`;

/** The ids of the files of a purpose at OpenAI. */
async function fileIds({ gateway }: World, purpose: string): Promise<string[]> {
  const response = await fetch(`${gateway.sandbox.openaiUrl}/files`, {
    headers: { authorization },
  });
  const { data } = await response.json();
  return data.filter((file: { purpose: string }) => file.purpose === purpose)
    .map(({ id }: { id: string }) => id);
}

/** Puts a file with OpenAI's own API. */
async function putNative({ gateway }: World): Promise<string> {
  const body = new FormData();
  body.set("purpose", "batch");
  body.set("file", new File([line], "native.jsonl"));
  const init = { method: "POST", headers: { authorization }, body };
  return (await (await fetch(`${gateway.sandbox.openaiUrl}/files`, init)).json()).id;
}

async function create(world: World, key: Key, bucket: string, object: string): Promise<string> {
  const answer = await world.ask({
    service: "bedrock",
    method: "POST",
    path: "/bedrock/model-invocation-job",
    body: JSON.stringify(jobOf(bucket, object, "job")),
  }, key);
  assert.equal(answer.status, 200, answer.body);
  return JSON.parse(answer.body).jobArn;
}

/** Asks for a job until it is over. */
async function ended(world: World, key: Key, arn: string): Promise<void> {
  const path = `/bedrock/model-invocation-job/${encodeURIComponent(arn)}`;
  for (let at = 0; at < 200; at++) {
    const answer = await world.ask({ service: "bedrock", method: "GET", path }, key);
    if (JSON.parse(answer.body).status === "Completed") return;
    await new Promise((done) => setTimeout(done, 25));
  }
  assert.fail("the job did not end");
}

const env = { BATCHWAY_POLL_SECONDS: "0" };

Deno.test("a key of certain buckets gets no results of another bucket by the id of their file", async () => {
  await withWorld(async (world) => {
    const owner = await world.issue({ native: true });
    const limited = await world.issue({ native: true, buckets: ["team-*"] });
    const path = `${files}/other-bucket/k.jsonl`;
    assert.equal((await world.ask({ method: "PUT", path, body: line }, owner)).status, 200);
    const arn = await create(world, owner, "other-bucket", "k.jsonl");
    await ended(world, owner, arn);
    const outputs = await fileIds(world, "batch_output");
    assert.equal(outputs.length, 1);
    const out = outputs[0] ?? assert.fail();
    const named: readonly Ask[] = [
      { method: "GET", path: `${files}/team-a/${out}` },
      { method: "GET", path: `${files}/team-a/folder/${out}` },
      { method: "GET", path: `${files}/team-a/x`, headers: { "if-match": `"${out}"` } },
      {
        method: "PUT",
        path: `${files}/team-a/copy`,
        headers: { "x-amz-copy-source": `team-a/${out}` },
      },
    ];
    for (const ask of named) {
      assert.equal((await world.ask(ask, limited)).status, 404, JSON.stringify(ask));
    }
    for (const key of [limited, owner]) {
      for (const ask of named.slice(0, 3)) {
        assert.ok((await world.ask({ ...ask, method: "DELETE" }, key)).status < 500);
      }
    }
    assert.deepEqual(await fileIds(world, "batch_output"), [out]);
    const results = `${files}/other-bucket/out/${arn.slice(-12)}/k.jsonl.out`;
    assert.equal((await world.ask({ method: "GET", path: results }, owner)).status, 200);
  }, { env, sandbox: { batchSeconds: 0 } });
});

Deno.test("a native file that a running job reads stays at its provider when it is deleted", async () => {
  await withWorld(async (world) => {
    const owner = await world.issue({ native: true });
    const other = await world.issue({ native: true, tenant: "another" });
    const id = await putNative(world);
    const arn = await create(world, owner, "openai-files", id);
    const at = { path: `${files}/openai-files/${id}` };
    assert.equal((await world.ask({ method: "DELETE", ...at }, other)).status, 204);
    assert.deepEqual(await fileIds(world, "batch"), [id]);
    assert.equal((await world.ask({ method: "GET", ...at }, owner)).status, 404);
    const path = `/bedrock/model-invocation-job/${encodeURIComponent(arn)}`;
    for (let n = 0; (await fileIds(world, "batch")).length > 0; n++) {
      assert.ok(n < 200, "it was not deleted when the job had ended");
      await world.ask({ service: "bedrock", method: "GET", path }, owner);
      await new Promise((done) => setTimeout(done, 25));
    }
  }, { env, sandbox: { batchSeconds: 1 } });
});
