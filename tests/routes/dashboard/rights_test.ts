/** What a key may do at the dashboard as its rights change, and what its requests leave behind. */
import assert from "node:assert/strict";
import type { Key } from "../../attacks/sign.ts";
import { withWorld, type World } from "../../attacks/world.ts";
import { type Issued, withKeys } from "../../keys.ts";
import { openBrowser, signedIn } from "./browser.ts";
import { clientOf } from "./running.ts";
import { create, put, record } from "./things.ts";

/** The audit lines of an operation, or of those that have none, the newest last. */
const linesOf = ({ gateway }: Pick<World, "gateway">, operation: string | null) =>
  gateway.logged.filter((one) => one !== "").map((one) => JSON.parse(one))
    .filter((line) => line.requestId !== undefined && line.operation === operation);

Deno.test("a provider that is not configured is in no figure and no audit line, whatever a page's address names", async () => {
  await withWorld(async (world) => {
    const { url, keys } = world;
    const reader = await signedIn(url, keys.reader);
    for (const [n, page] of ["objects", "object", "download", "job", "providers"].entries()) {
      await reader.get(`/dashboard/${page}?provider=made-up-${n}&bucket=data&key=k&id=x`);
    }
    await reader.get("/?provider=made-up-9");
    assert.equal((await reader.get("/dashboard/objects?provider=made-up-0")).status, 404);
    const figures = await world.ask(
      { method: "GET", path: "/metrics", service: "bedrock" },
      keys.owner,
    );
    assert.equal(figures.status, 200);
    assert.doesNotMatch(figures.body, /made-up/);
    assert.doesNotMatch(world.gateway.logged.join("\n"), /made-up/);
  });
});

/** Opens the stream of a page's part; what it has sent is read until it fits. */
async function openStream(url: string, key: Issued, view: string) {
  const browser = await signedIn(url, key);
  const cookie = `batchway_session=${browser.cookies.get("batchway_session")}`;
  const answer = await fetch(`${url}/dashboard/live?${view}`, { headers: { cookie } });
  assert.equal(answer.status, 200);
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader() ?? assert.fail();
  let text = "";
  return {
    close: () => reader.cancel(),
    async until(form: RegExp): Promise<string> {
      while (!form.test(text)) {
        const { done, value } = await reader.read();
        if (done) assert.fail(`the stream ended: ${text}`);
        text += value;
      }
      const found = text;
      text = "";
      return found;
    },
    async end(): Promise<string> {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        text += next.value;
      }
      return text;
    },
  };
}

Deno.test("a stream shows what its key may see now, and not what it might when it was opened", async () => {
  await withKeys(async ({ url }, keys) => {
    const owner = await keys.add({ tenant: "a" });
    const client = clientOf(url, owner);
    await client.put("openai", "data/in/theirs.jsonl", record("a"));
    const id = await client.create("openai", "theirs");
    const [admin, writer, leaver] = [
      await keys.add({ tenant: "operators", admin: true }),
      await keys.add({ tenant: "a" }),
      await keys.add({ tenant: "a" }),
    ];
    const all = await openStream(url, admin, "view=jobs");
    const one = await openStream(url, writer, `view=job&provider=openai&id=${id}`);
    const other = await openStream(url, leaver, `view=job&provider=openai&id=${id}`);
    for (const stream of [all, one, other]) await stream.until(/^retry: /);
    await keys.set(admin.accessKeyId, ({ admin: _admin, ...old }) => old);
    await keys.set(writer.accessKeyId, (old) => ({ ...old, readOnly: true }));
    await keys.set(leaver.accessKeyId, (old) => ({ ...old, providers: ["gemini"] }));
    assert.match(await all.until(/event: update\n/), /There is no job that fits/);
    const shown = await one.until(/event: update\n/);
    assert.match(shown, /theirs/);
    assert.doesNotMatch(shown, /<button/);
    assert.doesNotMatch(await other.end(), /theirs/);
    for (const stream of [all, one]) await stream.close();
  });
});

Deno.test("forms that are refused are in the audit and on the page of refusals by what they asked for", async () => {
  await withWorld(async (world) => {
    const { url, keys } = world;
    const id = await create(world, keys.owner, "one");
    const reader = await signedIn(url, keys.reader);
    await reader.get("/");
    const fields = { provider: "openai", id };
    for (
      const [path, operation] of [
        ["stop", "StopModelInvocationJob"],
        ["run-again", "CreateModelInvocationJob"],
      ] as const
    ) {
      assert.equal((await reader.post(`/dashboard/${path}`, fields)).status, 403);
      const line = linesOf(world, operation).at(-1);
      assert.equal(line.accessKeyId, keys.reader.accessKeyId);
      assert.equal(line.errorCode, "AccessDenied");
      assert.equal((await openBrowser(url).post(`/dashboard/${path}`, fields)).status, 403);
      assert.equal(linesOf(world, operation).at(-1).accessKeyId, null);
      const forged = { ...fields, form: "x" };
      assert.equal((await reader.post(`/dashboard/${path}`, forged)).status, 403);
      const count = linesOf(world, operation).filter(({ status }) => status === 403).length;
      assert.equal(count, 3);
    }
    const { html } = await reader.get("/dashboard/refused");
    assert.match(html, /StopModelInvocationJob/);
  });
});

Deno.test("each page of a provider that requests are forwarded to leaves one line that names it", async () => {
  await withWorld(async (world) => {
    const { url, keys } = world;
    await put(world, keys.aws, "data/x", "x");
    const limited = await signedIn(url, keys.limitedAws);
    const at = "provider=bedrock&bucket=data";
    for (
      const [path, operation, status] of [
        ["/?provider=bedrock", "ListModelInvocationJobs", 200],
        [`/dashboard/objects?${at}`, "ListObjectsV2", 403],
        ["/dashboard/objects?provider=bedrock&bucket=one", "ListObjectsV2", 200],
        [`/dashboard/object?${at}&key=x`, "GetObject", 403],
        ["/dashboard/job?provider=bedrock&id=abcdefghijkl", "GetModelInvocationJob", 404],
      ] as const
    ) {
      const before = linesOf(world, operation).length;
      assert.equal((await limited.get(path)).status, status, path);
      const [line, ...more] = linesOf(world, operation).slice(before);
      assert.deepEqual(more, [], path);
      const { accessKeyId, provider, status: noted } = line;
      const wanted = {
        accessKeyId: keys.limitedAws.accessKeyId,
        provider: "bedrock",
        noted: status,
      };
      assert.deepEqual({ accessKeyId, provider, noted }, wanted, path);
    }
    const refused = (await limited.get("/dashboard/refused")).html;
    assert.match(refused, /403 AccessDenied.*ListObjectsV2.*>data</s);
  });
});

Deno.test("of the refusals of its tenant a key sees those at its buckets and providers, and all of its own", async () => {
  await withWorld(async (world) => {
    const { url, keys } = world;
    const openai = await world.issue({ readOnly: true, defaultProvider: "openai" });
    const rule = JSON.stringify({ provider: "s3", status: 403, times: 9 });
    const faults = `${world.gateway.sandbox.controlUrl}/faults`;
    await (await fetch(faults, { method: "POST", body: rule })).text();
    for (
      const [path, key] of [
        ["data/in-data", openai],
        ["team-x/in-team", openai],
        ["data/own-one", keys.limited],
        ["team-x/at-aws", keys.aws],
        ["data/of-other", await world.issue({ tenant: "other", readOnly: true })],
      ] as const
    ) {
      const ask = { method: "PUT", path: `/bedrock/files/${path}`, body: "x" };
      assert.equal((await world.ask(ask, key)).status, 403);
    }
    const seen = async (key: Key) => {
      const { html } = await (await signedIn(url, key)).get("/dashboard/refused");
      return ["in-data", "in-team", "own-one", "at-aws", "of-other"]
        .filter((name) => html.includes(name));
    };
    assert.deepEqual(await seen(keys.owner), ["in-data", "in-team", "own-one", "at-aws"]);
    assert.deepEqual(await seen(keys.limited), ["in-team", "own-one", "at-aws"]);
    assert.deepEqual(await seen(keys.openaiAlone), ["in-data", "in-team", "own-one"]);
    const admin = await world.issue({ tenant: "operators", admin: true });
    assert.equal((await seen(admin)).length, 5);
  });
});
