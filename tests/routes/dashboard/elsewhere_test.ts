/** Jobs and objects of a provider that requests are forwarded to, on the dashboard's pages. */
import assert from "node:assert/strict";
import { withWorld, type World } from "../../attacks/world.ts";
import type { Key } from "../../attacks/sign.ts";
import { signedIn } from "./browser.ts";
import { put } from "./things.ts";

const hostile = `"><img src=x onerror=alert(1)>&'`;
const record = `{"recordId":"a","modelInput":{"messages":[]}}\n`;

/** Creates a job at Bedrock on an object in a bucket; its ARN. */
async function create(world: World, key: Key, bucket: string, name: string): Promise<string> {
  await put(world, key, `${bucket}/in/${name}.jsonl`, record.repeat(100));
  const body = JSON.stringify({
    jobName: name,
    modelId: "anthropic.claude-3-haiku-20240307-v1:0",
    roleArn: "arn:aws:iam::123456789012:role/r",
    inputDataConfig: { s3InputDataConfig: { s3Uri: `s3://${bucket}/in/${name}.jsonl` } },
    outputDataConfig: { s3OutputDataConfig: { s3Uri: `s3://${bucket}/out/` } },
  });
  const path = "/bedrock/model-invocation-job";
  const answer = await world.ask({ method: "POST", path, service: "bedrock", body }, key);
  assert.equal(answer.status, 200, answer.body);
  return JSON.parse(answer.body).jobArn;
}

const jobAt = (arn: string) =>
  `/dashboard/job?${new URLSearchParams({ provider: "bedrock", id: arn })}`;
const names = (html: string) =>
  [...html.matchAll(/<th scope="row"[^>]*><a [^>]*>([^<]*)</g)].map(([, name]) => name);

Deno.test("jobs at AWS are listed page by page from there, shown, and stopped, with the filters of the list", async () => {
  await withWorld(async (world) => {
    const { url, keys } = world;
    const arns: string[] = [];
    for (let n = 0; n < 52; n++) arns.push(await create(world, keys.aws, "data", `at-aws-${n}`));
    const owner = await signedIn(url, keys.aws);
    const none = (await owner.get("/")).html;
    assert.match(none, /<a href="\/\?provider=bedrock">bedrock<\/a>/);
    const first = (await owner.get("/?provider=bedrock&name=at-aws")).html;
    assert.equal(names(first).length, 50);
    assert.equal(names(first)[0], "at-aws-51");
    const next = /<a href="([^"]+)" rel="next"/.exec(first)?.[1]?.replaceAll("&amp;", "&") ?? "";
    assert.deepEqual(names((await owner.get(next)).html), ["at-aws-1", "at-aws-0"]);
    assert.deepEqual(names((await owner.get("/?provider=bedrock&name=aws-7")).html), ["at-aws-7"]);
    assert.match((await owner.get("/?provider=bedrock&status=Failed")).html, /no job that fits/);
    const page = jobAt(arns[7] ?? "");
    const { html } = await owner.get(page);
    assert.match(html, /<h1>at-aws-7<\/h1>/);
    assert.match(html, /s3:\/\/data\/in\/at-aws-7\.jsonl<\/a>/);
    const reader = await signedIn(url, keys.readerAws);
    assert.doesNotMatch((await reader.get(page)).html, /Stop the job/);
    const fields = { provider: "bedrock", id: arns[7] ?? "" };
    assert.equal((await reader.post("/dashboard/stop", fields)).status, 403);
    await owner.get(page);
    const again = await owner.post("/dashboard/run-again", fields);
    assert.match(again.html, /cannot be run again from here: it ran at a provider that requests/);
    const stopped = await owner.post("/dashboard/stop", fields);
    assert.equal(stopped.status, 303, stopped.html);
    const now = (await owner.get(stopped.headers.get("location") ?? "")).html;
    assert.match(now, />Stopp(?:ing|ed)<\/span>/);
  });
});

Deno.test("objects at AWS are listed, previewed and downloaded, and are data whatever they hold", async () => {
  await withWorld(async (world) => {
    const { url, keys } = world;
    const name = `${hostile} +日本.html`;
    const page = "<html><script>alert(1)</script></html>\n";
    await put(world, keys.aws, `data/${encodeURIComponent(name)}`, page);
    await put(world, keys.aws, "data/empty", "");
    await put(world, keys.aws, "data/long.csv", "line\n".repeat(100_000));
    const owner = await signedIn(url, keys.aws);
    const at = (path: string, more: Record<string, string>) =>
      owner.get(`/dashboard/${path}?${new URLSearchParams({ provider: "bedrock", ...more })}`);
    assert.ok(names((await at("objects", {})).html).includes("data"));
    const list = (await at("objects", { bucket: "data" })).html;
    assert.deepEqual(names(list).slice(1), ["empty", "long.csv"]);
    assert.match(list, /&lt;img src=x onerror=alert\(1\)&gt;&amp;&#39; \+日本\.html<\/a>/);
    assert.match(list, /488\.3 KiB/);
    const prefixed = await at("objects", { bucket: "data", prefix: "lo" });
    assert.deepEqual(names(prefixed.html), ["long.csv"]);
    const shown = await at("object", { bucket: "data", key: name });
    assert.equal(shown.status, 200, shown.html);
    assert.match(shown.html, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
    for (const { html } of [shown, prefixed]) assert.doesNotMatch(html, /<img|<script>|<html><s/);
    const long = (await at("object", { bucket: "data", key: "long.csv" })).html;
    assert.equal(long.match(/^(?:.*>)?line$/gm)?.length, 20);
    assert.match((await at("object", { bucket: "data", key: "empty" })).html, /object is empty/);
    const file = await at("download", { bucket: "data", key: name });
    assert.equal(file.html, page);
    assert.match(file.headers.get("content-disposition") ?? "", /^attachment; /);
    assert.match(file.headers.get("content-security-policy") ?? "", /^sandbox/);
    assert.equal(file.headers.get("content-type"), "application/octet-stream");
    assert.equal((await at("object", { bucket: "data", key: "none" })).status, 404);
  });
});

Deno.test("at AWS a key sees what its buckets and providers allow, and no more", async () => {
  await withWorld(async (world) => {
    const { url, keys } = world;
    const arn = await create(world, keys.aws, "data", "not-yours");
    const limited = await signedIn(url, keys.limitedAws);
    const get = (path: string) => limited.get(path);
    assert.doesNotMatch((await get("/?provider=bedrock")).html, /not-yours/);
    assert.equal((await get(jobAt(arn))).status, 404);
    const fields = { provider: "bedrock", id: arn };
    await get("/?provider=bedrock");
    assert.equal((await limited.post("/dashboard/stop", fields)).status, 404);
    const objects = "/dashboard/objects?provider=bedrock";
    assert.doesNotMatch((await get(objects)).html, />data<\/a>/);
    for (const bucket of ["data", "one/../data", "one%2F..%2Fdata", "../data"]) {
      const query = new URLSearchParams({ provider: "bedrock", bucket, key: "in/not-yours.jsonl" });
      assert.doesNotMatch((await get(`/dashboard/objects?${query}`)).html, /not-yours\.jsonl<\/a>/);
      for (const path of ["object", "download"]) {
        const { status, html } = await get(`/dashboard/${path}?${query}`);
        assert.ok(status >= 400, `${path} ${bucket}: ${status}`);
        assert.ok(!html.includes("recordId"), bucket);
      }
    }
    const climbing = { provider: "bedrock", bucket: "one", key: "../data/in/not-yours.jsonl" };
    assert.ok((await get(`/dashboard/download?${new URLSearchParams(climbing)}`)).status >= 400);
    const alone = await signedIn(url, keys.openaiAlone);
    for (const path of ["/?provider=bedrock", jobAt(arn), objects]) {
      assert.equal((await alone.get(path)).status, 403, path);
    }
    assert.doesNotMatch((await alone.get("/")).html, /bedrock/);
  });
});

Deno.test("what AWS refuses is said on the page in its words, which are text", async () => {
  await withWorld(async (world) => {
    const { url, keys, gateway } = world;
    const owner = await signedIn(url, keys.aws);
    const fault = async (rule: Record<string, unknown>) => {
      const options = { method: "POST", body: JSON.stringify({ times: 9, ...rule }) };
      await (await fetch(`${gateway.sandbox.controlUrl}/faults`, options)).text();
    };
    const message = `${hostile} is not authorized`;
    await fault({ provider: "bedrock", status: 403, body: JSON.stringify({ message }) });
    const body = "<Error><Code>AccessDenied</Code><Message>Not &lt;b&gt; yours</Message></Error>";
    await fault({ provider: "s3", status: 403, body });
    const jobs = (await owner.get("/?provider=bedrock")).html;
    assert.match(jobs, /bedrock answers 403: [^<]*&lt;img src=x[^<]* is not authorized/);
    const objects = (await owner.get("/dashboard/objects?provider=bedrock&bucket=data")).html;
    assert.match(objects, /bedrock answers 403: Not [^<]* yours/);
    for (const html of [jobs, objects]) assert.doesNotMatch(html, /<img|<b>/);
  });
});
