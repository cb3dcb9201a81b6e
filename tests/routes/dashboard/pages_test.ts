/** What the dashboard's pages show, and to whom. */
import assert from "node:assert/strict";
import { files } from "../../attacks/operations.ts";
import { withWorld } from "../../attacks/world.ts";
import { startTestGateway } from "../../gateway.ts";
import { signedIn } from "./browser.ts";
import { create, put, record } from "./things.ts";

Deno.test("the list shows a tenant's own jobs, an administrator's all, filtered by what the address says", async () => {
  await withWorld(async (world) => {
    const { url, keys } = world;
    await create(world, keys.owner, "owners-job");
    await create(world, keys.other, "others-job");
    const owner = await signedIn(url, keys.owner);
    const own = (await owner.get("/")).html;
    assert.match(own, />owners-job<\/a>/);
    assert.doesNotMatch(own, /others-job|<th scope="col">Tenant/);
    assert.doesNotMatch((await owner.get("/?tenant=other")).html, /others-job/);
    const admin = await signedIn(url, await world.issue({ tenant: "operators", admin: true }));
    const all = (await admin.get("/")).html;
    assert.match(all, />owners-job<\/a>/);
    assert.match(all, />others-job<\/a>/);
    const filtered = async (query: string) =>
      [...(await admin.get(`/?${query}`)).html.matchAll(/>([a-z]+-job)<\/a>/g)].map(([, name]) =>
        name
      );
    assert.deepEqual(await filtered("tenant=other"), ["others-job"]);
    assert.deepEqual(await filtered("name=owners"), ["owners-job"]);
    assert.deepEqual(await filtered("status=Completed"), []);
    assert.deepEqual(await filtered("provider=gemini"), []);
    assert.deepEqual(await filtered("provider=openai&name=job"), ["others-job", "owners-job"]);
  });
});

Deno.test("jobs of three tenants are listed page by page, each once, from the newest or from the oldest", async () => {
  await withWorld(async (world) => {
    const { url, keys } = world;
    const names: string[] = [];
    for (let n = 0; n < 40; n++) {
      for (const [tenant, key] of Object.entries({ a: keys.owner, b: keys.other, c: keys.third })) {
        names.push(`${tenant}-${n}`);
        await create(world, key, `${tenant}-${n}`);
      }
    }
    const admin = await signedIn(url, await world.issue({ tenant: "operators", admin: true }));
    const read = async (first: string) => {
      const seen: string[] = [];
      for (let to: string | undefined = first; to !== undefined;) {
        const { html } = await admin.get(to);
        seen.push(...[...html.matchAll(/>([abc]-[0-9]+)<\/a>/g)].map(([, name]) => name ?? ""));
        to = /<a href="([^"]+)" rel="next"/.exec(html)?.[1]?.replaceAll("&amp;", "&");
      }
      return seen;
    };
    assert.deepEqual(await read("/?name=-"), names.toReversed());
    assert.deepEqual(await read("/?name=-&order=oldest"), names);
  });
});

Deno.test("the page of a job shows its facts, and no other tenant's key sees it", async () => {
  await withWorld(async (world) => {
    const { url, keys } = world;
    const id = await create(world, keys.owner, "one", { tags: [{ key: "team", value: "a/b=c" }] });
    const owner = await signedIn(url, keys.owner);
    const page = `/dashboard/job?provider=openai&id=${id}`;
    const { status, html } = await owner.get(page);
    assert.equal(status, 200);
    assert.match(html, /<h1>one<\/h1>/);
    assert.match(html, /s3:\/\/data\/in\/one\.jsonl<\/a>/);
    assert.match(html, /<dt>team<\/dt><dd>a\/b=c<\/dd>/);
    assert.match(html, /Stop the job/);
    const reader = await signedIn(url, keys.reader);
    const read = (await reader.get(page)).html;
    assert.match(read, /<h1>one<\/h1>/);
    assert.doesNotMatch(read, /Stop the job/);
    const fields = { provider: "openai", id };
    assert.equal((await reader.post("/dashboard/stop", fields)).status, 403);
    const other = await signedIn(url, keys.other);
    assert.equal((await other.get(page)).status, 404);
    assert.equal((await other.get(`${page}&tenant=owner`)).status, 403);
    await other.get("/");
    assert.equal((await other.post("/dashboard/stop", fields)).status, 404);
    assert.equal((await other.post("/dashboard/stop", { ...fields, tenant: "owner" })).status, 403);
    const limited = await signedIn(url, keys.limited);
    assert.equal((await limited.get(page)).status, 404, "its bucket is not one of the key's");
    const stopped = await owner.post("/dashboard/stop", fields);
    assert.equal(stopped.status, 303);
    const now = (await owner.get(stopped.headers.get("location") ?? "")).html;
    assert.match(now, />(?:Stopping|Stopped)<\/span>/);
  });
});

Deno.test("names and contents are data on every page, whatever they hold", async () => {
  await withWorld(async (world) => {
    const { url, keys } = world;
    const hostile = `"><img src=x onerror=alert(1)><script>alert(2)</script>&'.jsonl`;
    await put(world, keys.owner, `data/${encodeURIComponent(hostile)}`, record(hostile, hostile));
    // Characters that turn the order of others around would show another name than it has.
    await put(world, keys.owner, `data/${encodeURIComponent("fdp.\u202elnosj")}`, record("a"));
    const browser = await signedIn(url, keys.owner);
    const query = new URLSearchParams({ provider: "openai", bucket: "data", key: hostile });
    const paths = [
      "/dashboard/objects?provider=openai&bucket=data",
      `/dashboard/object?${query}`,
      `/dashboard/objects?${new URLSearchParams({ provider: "openai", prefix: hostile })}`,
      `/?${new URLSearchParams({ name: hostile })}`,
      `/dashboard/job?${new URLSearchParams({ provider: hostile, id: hostile })}`,
      `/dashboard/${encodeURIComponent(hostile)}`,
      `/dashboard/usage?${new URLSearchParams({ from: hostile })}`,
    ];
    for (const path of paths) {
      const { html } = await browser.get(path);
      assert.doesNotMatch(html, /<img|<script>|onerror=alert\(1\)>/, path);
    }
    // What a stranger claims is on an administrator's page.
    const target = {
      method: "GET",
      path: "/bedrock/files/%3Cimg%20src%3Dx%3E/k",
      query: "",
      body: "",
    };
    const authorization =
      "AWS4-HMAC-SHA256 Credential=<img src=x>/20260101/us-east-1/s3/aws4_request, " +
      "SignedHeaders=host, Signature=00";
    const agent = { "user-agent": "<script>alert(3)</script>" };
    await world.send({ ...target, headers: { host: world.host, authorization, ...agent } });
    const admin = await signedIn(url, await world.issue({ tenant: "operators", admin: true }));
    const refused = (await admin.get("/dashboard/refused")).html;
    assert.match(refused, /40[03] [A-Za-z]+/);
    assert.doesNotMatch(refused, /<img|<script>/);
    const list = (await browser.get(paths[0] ?? "")).html;
    assert.match(list, /&lt;img src=x onerror=alert\(1\)&gt;/);
    assert.match(list, />fdp\.\\u202elnosj<\/a>/);
  });
});

Deno.test("an object is previewed and downloaded as a file that no browser shows as a page", async () => {
  await withWorld(async (world) => {
    const { url, keys } = world;
    const page = "<html><script>alert(1)</script></html>";
    await put(world, keys.owner, "one/x.html", page);
    await put(world, keys.owner, "data/many.csv", "line\n".repeat(100_000));
    await put(world, keys.owner, "data/empty", "");
    const browser = await signedIn(url, keys.owner);
    const at = (path: string, bucket: string, key: string) =>
      browser.get(`/dashboard/${path}?provider=openai&bucket=${bucket}&key=${key}`);
    const download = await at("download", "one", "x.html");
    assert.equal(download.html, page);
    assert.equal(download.headers.get("content-type"), "application/octet-stream");
    assert.match(download.headers.get("content-disposition") ?? "", /^attachment; /);
    assert.match(download.headers.get("content-security-policy") ?? "", /^sandbox/);
    const preview = (await at("object", "data", "many.csv")).html;
    assert.equal(preview.match(/^(?:.*>)?line$/gm)?.length, 20);
    assert.match((await at("object", "data", "empty")).html, /The object is empty/);
    assert.equal((await at("object", "data", "none")).status, 404);
    const limited = await signedIn(url, keys.limited);
    const as = (path: string) => limited.get(`/dashboard/${path}`);
    assert.equal((await as("objects?provider=openai&bucket=data")).status, 403);
    assert.equal((await as("object?provider=openai&bucket=data&key=many.csv")).status, 403);
    assert.equal((await as("download?provider=openai&bucket=data&key=many.csv")).status, 403);
    assert.equal((await as("objects?provider=openai&bucket=one")).status, 200);
    const list = (await as("objects?provider=openai")).html;
    assert.match(list, />one<\/a>/);
    assert.doesNotMatch(list, />data<\/a>/);
    const alone = await signedIn(url, keys.openaiAlone);
    assert.equal((await alone.get("/dashboard/objects?provider=gemini")).status, 403);
  });
});

Deno.test("keys are shown to administrators without their secrets, refusals to the tenant that they are of", async () => {
  await withWorld(async (world) => {
    const { url, keys } = world;
    const ask = { method: "PUT", path: `${files}/data/x`, body: "x" };
    assert.equal((await world.ask(ask, keys.reader)).status, 403);
    const owner = await signedIn(url, keys.owner);
    assert.equal((await owner.get("/dashboard/keys")).status, 403);
    assert.match(
      (await owner.get("/dashboard/refused")).html,
      /403 AccessDenied.*PutObject.*data-label="Object" class="part">data\/x</s,
    );
    const other = await signedIn(url, keys.other);
    assert.doesNotMatch((await other.get("/dashboard/refused")).html, /PutObject/);
    const label = "night <b>batch</b>";
    const admin = await signedIn(
      url,
      await world.issue({ tenant: "operators", admin: true, maxJobs: 7, label }),
    );
    const page = (await admin.get("/dashboard/keys")).html;
    assert.match(page, new RegExp(keys.owner.accessKeyId));
    assert.match(page, /night &lt;b&gt;batch&lt;\/b&gt;/);
    assert.match(page, /0 of 7 jobs/);
    assert.ok(!page.includes(keys.owner.secretAccessKey));
    assert.match((await admin.get("/dashboard/refused")).html, /PutObject/);
    const providers = (await admin.get("/dashboard/providers")).html;
    assert.match(providers, /<span class="good">ok<\/span>/);
    const usage = (await admin.get("/dashboard/usage")).html;
    assert.match(usage, /<svg [^>]+role="img" aria-label="Tokens by day/);
    assert.equal((await admin.get("/dashboard/usage?from=never")).status, 400);
  });
});

Deno.test("a stream sends the list again when it has changed, and ends when its key is disabled", async () => {
  await withWorld(async (world) => {
    const { url, issue, change } = world;
    const key = await issue();
    const browser = await signedIn(url, key);
    const cookie = `batchway_session=${browser.cookies.get("batchway_session")}`;
    const answer = await fetch(`${url}/dashboard/live?view=jobs`, { headers: { cookie } });
    assert.equal(answer.headers.get("content-type"), "text/event-stream");
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader() ?? assert.fail();
    let text = "";
    const until = async (form: RegExp) => {
      while (!form.test(text)) {
        const { done, value } = await reader.read();
        if (done) assert.fail(`the stream ended: ${text}`);
        text += value;
      }
    };
    await until(/^retry: /);
    await create(world, key, "seen-live");
    await until(/event: update\ndata: [^]*seen-live/);
    await change("disable", key);
    await until(/event: end\n/);
    while (!(await reader.read()).done);
  });
});

Deno.test("an end of the gateway ends its streams, and only so many are open for one key", async () => {
  const { url, gateway, sandbox } = await startTestGateway();
  try {
    const open = () => fetch(`${url}/dashboard/live?view=jobs`);
    const streams = await Promise.all(Array.from({ length: 8 }, open));
    assert.deepEqual(streams.map(({ status }) => status), Array(8).fill(200));
    const ninth = await open();
    assert.equal(ninth.status, 429);
    await ninth.body?.cancel();
    await streams[0]?.body?.cancel();
    await gateway.close();
    for (const stream of streams.slice(1)) assert.match(await stream.text(), /^retry: /);
  } finally {
    await sandbox.close();
  }
});
