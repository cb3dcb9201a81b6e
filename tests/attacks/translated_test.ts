/** Doors of translated jobs: inputs at another provider, kept inputs, and reports of losses. */
import assert from "node:assert/strict";
import { files, jobOf } from "./operations.ts";
import type { Key } from "./sign.ts";
import { type Answer, withWorld, type World } from "./world.ts";

const line =
  '{"recordId":"a","modelInput":{"messages":[{"role":"user","content":[{"text":"Hi"}]}],' +
  '"inferenceConfig":{"maxTokens":9},"of_no_api":1}}\n';
const options = {
  configuration: '{ "objects": { "keep": "needed" } }',
  env: { BATCHWAY_POLL_SECONDS: "0" },
  sandbox: { batchSeconds: 0.1 },
};

function create(
  world: World,
  key: Key,
  object: string,
  tags: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const body = JSON.stringify({
    ...jobOf("kept", object, "job"),
    modelId: "gpt-4o-mini",
    tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
  });
  return world.ask(
    { service: "bedrock", method: "POST", path: "/bedrock/model-invocation-job", body },
    key,
  );
}

Deno.test("a translated job leads no key to inputs and reports that are not its own", () =>
  withWorld(async (world) => {
    const { owner, other, openaiAlone } = world.keys;
    const put = { method: "PUT", path: `${files}/kept/k.jsonl`, body: line };
    const answer = await world.ask(put, owner);
    assert.equal(answer.status, 200, answer.body);
    const etag = (answer.headers.get("etag") ?? "").replaceAll('"', "");
    assert.match(etag, /^[0-9a-f]{32}$/);

    // A key that may not use the provider where the input is said to be.
    const elsewhere = await create(world, openaiAlone, "k.jsonl", {
      "batchway:input-provider": "gemini",
    });
    assert.deepEqual([elsewhere.status, elsewhere.code.split(":")[0]], [
      403,
      "AccessDeniedException",
    ]);

    // The same of a provider where records are to run that have no answer, in every spelling.
    for (
      const fallback of ["gemini/gemini-2.5-flash", "bedrock/amazon.nova-lite-v1:0", "gemini/x/y"]
    ) {
      const denied = await create(world, openaiAlone, "k.jsonl", { "batchway:fallback": fallback });
      assert.ok([400, 403].includes(denied.status), `${fallback}: ${denied.status} ${denied.body}`);
    }
    const fallback = await create(world, openaiAlone, "k.jsonl", {
      "batchway:fallback": "gemini/gemini-2.5-flash",
      "batchway:dry-run": "true",
    });
    assert.deepEqual([fallback.status, fallback.code.split(":")[0]], [
      403,
      "AccessDeniedException",
    ]);

    // A kept object of another tenant, by its key, by its ETag as key, and by the tag.
    for (const name of ["k.jsonl", etag]) {
      const refused = await create(world, other, name);
      assert.equal(refused.status, 400, refused.body);
      assert.match(refused.body, /was not found/);
    }
    const tagged = await create(world, other, "none.jsonl", { file_id: etag });
    assert.equal(tagged.status, 400, tagged.body);

    const made = await create(world, owner, "k.jsonl");
    assert.equal(made.status, 200, made.body);
    const arn: string = JSON.parse(made.body).jobArn;
    const path = `/bedrock/model-invocation-job/${encodeURIComponent(arn)}`;
    let job: Record<string, string> = {};
    for (let looks = 0; looks < 400 && job["status"] !== "Completed"; looks++) {
      job = JSON.parse((await world.ask({ service: "bedrock", method: "GET", path }, owner)).body);
      await new Promise((done) => setTimeout(done, 25));
    }
    const report = /see (\S+translation\.ndjson)/.exec(job["message"] ?? "")?.[1] ?? "";
    assert.notEqual(report, "", JSON.stringify(job));
    const uri = JSON.parse(JSON.stringify(jobOf("kept", "k.jsonl", "job"))).outputDataConfig
      .s3OutputDataConfig.s3Uri;
    const get = { method: "GET", path: `${files}/${new URL(uri).host}/${report}` };
    assert.equal((await world.ask(get, owner)).status, 200);
    assert.equal((await world.ask(get, other)).status, 404);
  }, options));

Deno.test("the tag that names the input's provider opens no tenant, no bucket and no other provider", () =>
  withWorld(async (world) => {
    const { owner, other, limited } = world.keys;
    const put = {
      method: "PUT",
      path: `${files}/kept/k.jsonl`,
      headers: { "x-model-provider": "gemini" },
      body: line,
    };
    assert.equal((await world.ask(put, owner)).status, 200);
    const from = (provider: string) => ({ "batchway:input-provider": provider });
    const before = await world.state();
    const rows: readonly [
      what: string,
      key: Key,
      provider: string,
      status: number,
      says: RegExp,
    ][] = [
      ["another tenant", other, "gemini", 400, /was not found/],
      ["a key of other buckets", limited, "gemini", 403, /./],
      ["a provider that only the gateway has", owner, "anthropic", 403, /./],
      ["a provider that is not there", owner, "nowhere", 400, /must name a configured provider/],
      ["a name of every object", owner, "constructor", 400, /must name a configured provider/],
      ["a prototype", owner, "__proto__", 400, /must name a configured provider/],
      ["a path", owner, "../gemini", 400, /must name a configured provider/],
      ["other letters", owner, "Gemini", 400, /must name a configured provider/],
    ];
    for (const [what, key, provider, status, says] of rows) {
      const answer = await create(world, key, "k.jsonl", from(provider));
      assert.equal(answer.status, status, `${what}: ${answer.body}`);
      assert.match(answer.body, says, what);
    }
    assert.equal(await world.state(), before);
    assert.equal((await create(world, owner, "k.jsonl", from("gemini"))).status, 200);
  }, options));
