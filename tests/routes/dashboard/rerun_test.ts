/** Running the failed records of a job again. */
import assert from "node:assert/strict";
import { files } from "../../attacks/operations.ts";
import { withWorld } from "../../attacks/world.ts";
import { signedIn } from "./browser.ts";
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
