/** Running the failed records of a job again. */
import assert from "node:assert/strict";
import { files } from "../../attacks/operations.ts";
import { gzipSync } from "node:zlib";
import { withWorld, type World } from "../../attacks/world.ts";
import { converse } from "../../jobs/sharded/client.ts";
import { type Loaded, signedIn } from "./browser.ts";
import { put, record } from "./things.ts";

Deno.test("the failed records of a job run again as a job of their own, with the same settings", async () => {
  await withWorld(async (world) => {
    const { url, keys } = world;
    const name = "some-fail";
    const lines = [record("good-1"), record("error-1"), record("good-2"), record("error-2")];
    await put(world, keys.owner, `data/in/${name}.jsonl`, lines.join(""));
    const body = JSON.stringify({
      jobName: name,
      modelId: "gpt-4o-mini",
      roleArn: "arn:aws:iam::123456789012:role/r",
      timeoutDurationInHours: 48,
      inputDataConfig: { s3InputDataConfig: { s3Uri: `s3://data/in/${name}.jsonl` } },
      outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://data/out/" } },
      tags: [{ key: "team", value: "x" }],
    });
    const ask = { method: "POST", path: "/bedrock/model-invocation-job", body } as const;
    const answer = await world.ask({ ...ask, service: "bedrock" }, keys.owner);
    const id = JSON.parse(answer.body).jobArn.split("/").at(-1);
    const browser = await signedIn(url, keys.owner);
    const page = `/dashboard/job?provider=openai&id=${id}`;
    const fields = { provider: "openai", id };
    await browser.get(page);
    assert.equal((await browser.post("/dashboard/run-again", fields)).status, 409, "it runs");
    let html = "";
    for (let tries = 0; tries < 200 && !html.includes(">Completed</span>"); tries++) {
      await new Promise((done) => setTimeout(done, 50));
      html = (await browser.get(page)).html;
    }
    assert.match(html, /Run failed records again/);
    assert.match(html, /<dt>Cost<\/dt><dd>&lt; \$[0-9.]+<\/dd>/);
    assert.match((await browser.get("/")).html, /data-label="Cost" class="number">&lt; \$[0-9.]+</);
    const used = (await browser.get("/dashboard/usage")).html;
    assert.match(
      used,
      /data-label="Model"[^>]*>gpt-4o-mini<.*data-label="Cost" class="number">&lt; \$[0-9.]+</s,
    );
    const reader = await signedIn(url, keys.reader);
    assert.doesNotMatch((await reader.get(page)).html, /Run failed/);
    assert.equal((await reader.post("/dashboard/run-again", fields)).status, 403);
    const again = await browser.post("/dashboard/run-again", fields);
    assert.equal(again.status, 303, again.html);
    const to = again.headers.get("location") ?? "";
    const shown = (await browser.get(to)).html;
    assert.match(shown, /<h1>some-fail-again<\/h1>/);
    assert.match(shown, /<dt>team<\/dt><dd>x<\/dd>/);
    const failed = `data/in/${name}.failed-${id}.jsonl`;
    const input = await world.ask({ method: "GET", path: `${files}/${failed}` }, keys.owner);
    assert.equal(input.body, `${lines[1]}${lines[3]}`);
    await browser.get(page);
    const twice = await browser.post("/dashboard/run-again", fields);
    assert.equal(twice.headers.get("location"), to, "a button pressed twice makes one job");
    const other = await signedIn(url, keys.other);
    await other.get("/");
    assert.equal((await other.post("/dashboard/run-again", fields)).status, 404);
  }, {
    sandbox: { batchSeconds: 1 },
    configuration: '{"prices":{"gpt-4o-*":{"input":0.075,"output":0.3}}}',
  });
});

Deno.test("failed records of a translated job run again in the dialect that they were written in", async () => {
  await withWorld(async (world) => {
    const { url, keys } = world;
    const line = (recordId: string, text: string) =>
      JSON.stringify({
        recordId,
        modelInput: { messages: [{ role: "user", content: [{ text }] }] },
      }) +
      "\n";
    const lines = [line("a", "Hi"), line("b", "fail 400"), line("c", "Hi")];
    await put(world, keys.owner, "data/in/converse.jsonl", lines.join(""));
    const body = JSON.stringify({
      jobName: "converse",
      modelId: "gpt-4o-mini",
      modelInvocationType: "Converse",
      roleArn: "arn:aws:iam::123456789012:role/r",
      inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://data/in/converse.jsonl" } },
      outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://data/out/" } },
    });
    const ask = { method: "POST", path: "/bedrock/model-invocation-job", body } as const;
    const answer = await world.ask({ ...ask, service: "bedrock" }, keys.owner);
    assert.equal(answer.status, 200, answer.body);
    const id = JSON.parse(answer.body).jobArn.split("/").at(-1);
    const browser = await signedIn(url, keys.owner);
    const page = `/dashboard/job?provider=openai&id=${id}`;
    let html = "";
    let hadShards = false;
    for (let tries = 0; tries < 400 && !html.includes("Run failed records again"); tries++) {
      await new Promise((done) => setTimeout(done, 50));
      html = (await browser.get(page)).html;
      hadShards ||= html.includes("Batches that the job runs as");
    }
    assert.ok(hadShards, "they are shown while they are there");
    const again = await browser.post("/dashboard/run-again", { provider: "openai", id });
    assert.equal(again.status, 303, again.html);
    const failed = `${files}/data/in/converse.failed-${id}.jsonl`;
    const input = await world.ask({ method: "GET", path: failed }, keys.owner);
    assert.equal(input.body, lines[1]);
  }, { sandbox: { batchSeconds: 1 } });
});

/** Runs a job at OpenAI on an input, to its end, and presses the button; the answer and the new input. */
async function rerun(
  world: World,
  input: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<{ page: string; pressed: Loaded; records: string }> {
  const { url, keys: { owner } } = world;
  const body = JSON.stringify({
    jobName: "again",
    modelId: "gpt-4o-mini",
    modelInvocationType: "Converse",
    roleArn: "arn:aws:iam::123456789012:role/r",
    inputDataConfig: { s3InputDataConfig: { s3Uri: input } },
    outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://results/out/" } },
    ...more,
  });
  const ask = { method: "POST", path: "/bedrock/model-invocation-job", body } as const;
  const answer = await world.ask({ ...ask, service: "bedrock" }, owner);
  assert.equal(answer.status, 200, answer.body);
  const id = JSON.parse(answer.body).jobArn.split("/").at(-1);
  const browser = await signedIn(url, owner);
  const at = `/dashboard/job?provider=openai&id=${id}`;
  let page = "";
  for (let tries = 0; tries < 400 && !/>(?:Completed|Failed)<\/span>/.test(page); tries++) {
    await new Promise((done) => setTimeout(done, 25));
    page = (await browser.get(at)).html;
  }
  const pressed = await browser.post("/dashboard/run-again", { provider: "openai", id });
  const key = input.slice("s3://".length).replace(/\/$|\.jsonl(?:\.gz)?$/, "");
  const path = `${files}/${key}.failed-${id}.jsonl`;
  return { page, pressed, records: (await world.ask({ method: "GET", path }, owner)).body };
}

/** Bytes as the texts of requests have them, one character each. */
const packed = (text: string) => gzipSync(text).toString("latin1");
const options = { sandbox: { batchSeconds: 0 }, configuration: '{"objects":{}}' } as const;

Deno.test("failed records without ids run again: which they are is known by their lines", async () => {
  await withWorld(async (world) => {
    const lines = ["Hi", "fail 400", "", "Ho", "fail 503"].map((text) =>
      text === "" ? "" : converse(undefined, text)
    );
    await put(
      world,
      world.keys.owner,
      "data/in/bare.jsonl",
      `\u00ef\u00bb\u00bf${lines.join("\n")}`,
    );
    const { pressed, records } = await rerun(world, "s3://data/in/bare.jsonl");
    assert.equal(pressed.status, 303, pressed.html);
    assert.equal(records, `${lines[1]}\n${lines[4]}\n`);
  }, options);
});

Deno.test("failed records of a gzip file run again, unpacked", async () => {
  await withWorld(async (world) => {
    const [good, bad] = [converse("a", "Hi"), converse("b", "fail 400")];
    await put(world, world.keys.owner, "data/in/x.jsonl.gz", packed(`${good}\n${bad}\n`));
    const { pressed, records } = await rerun(world, "s3://data/in/x.jsonl.gz");
    assert.equal(pressed.status, 303, pressed.html);
    assert.equal(records, `${bad}\n`);
  }, options);
});

Deno.test("failed records of a folder's files run again as one input beside it", async () => {
  await withWorld(async (world) => {
    const { keys: { owner } } = world;
    const same = converse(undefined, "fail 400");
    await put(world, owner, "data/run/a.jsonl", `${converse("a", "fail 400")}\n${same}`);
    await put(world, owner, "data/run/b.jsonl", converse("a", "Hi"));
    await put(
      world,
      owner,
      "data/run/c/d.jsonl.gz",
      packed(`${converse("c", "fail 503")}\n${same}\n`),
    );
    await put(world, owner, "data/run/notes.txt", "fail 400");
    const { pressed, records } = await rerun(world, "s3://data/run/");
    assert.equal(pressed.status, 303, pressed.html);
    const texts = [converse("a", "fail 400"), same, converse("c", "fail 503"), same];
    assert.equal(records, texts.map((one) => `${one}\n`).join(""));
  }, options);
});

Deno.test("a file of a folder that was replaced since its job is not taken for the one that ran", async () => {
  await withWorld(async (world) => {
    const { url, keys: { owner } } = world;
    await put(world, owner, "data/run/a.jsonl", converse("a", "fail 400"));
    const { pressed } = await rerun(world, "s3://data/run/");
    const first = pressed.headers.get("location") ?? assert.fail(pressed.html);
    const failed = (await (await signedIn(url, owner)).get(first)).html
      .match(/run\.failed-([a-z0-9]+)\.jsonl/)?.[1] ?? "";
    const path = `${files}/data/run.failed-${failed}.jsonl`;
    const browser = await signedIn(url, owner);
    const press = async () => {
      assert.equal((await world.ask({ method: "DELETE", path }, owner)).status, 204);
      await browser.get("/");
      return await browser.post("/dashboard/run-again", { provider: "openai", id: failed });
    };
    // One that came later is not of the job.
    await put(world, owner, "data/run/b.jsonl", converse("b", "fail 400"));
    assert.equal((await press()).status, 303);
    const { body } = await world.ask({ method: "GET", path }, owner);
    assert.equal(body, `${converse("a", "fail 400")}\n`);
    await put(world, owner, "data/run/a.jsonl", converse("a", "another text"));
    assert.match((await press()).html, /a file of its folder was replaced since/);
  }, options);
});

Deno.test("where it is not clear whose a result is, the button says so and makes no job", async () => {
  await withWorld(async (world) => {
    const { keys: { owner } } = world;
    const twice = converse("same", "fail 400");
    await put(world, owner, "data/run/a.jsonl", twice);
    await put(world, owner, "data/run/b.jsonl", twice);
    const { page, pressed, records } = await rerun(world, "s3://data/run/");
    assert.match(page, /Run failed records again/);
    assert.match(pressed.html, /more than one of its failed records have the same id/);
    assert.match(records, /NoSuchKey/);
  }, options);
});

Deno.test("where the failed records cannot run again, the page of the job says why in place of the button", async () => {
  await withWorld(async (world) => {
    const { keys: { owner, aws } } = world;
    await put(world, aws, "real-inputs/in.jsonl", converse("a", "fail 400"));
    await put(world, owner, "whole-one/in.jsonl", converse("a", "fail 400"));
    for (
      const [input, why] of [
        ["s3://real-inputs/in.jsonl", /its input is at bedrock, and the failed records would be/],
        ["s3://whole-one", /its input is a whole bucket/],
      ] as const
    ) {
      const { page, pressed } = await rerun(world, input);
      assert.match(page, why);
      assert.doesNotMatch(page, /Run failed records again/);
      assert.match(pressed.html, why);
    }
  }, { ...options, configuration: '{"objects":{},"buckets":{"real-*":{"provider":"bedrock"}}}' });
});
