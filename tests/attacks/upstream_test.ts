/** Upstreams that were taken over, or that say too much. */
import assert from "node:assert/strict";
import { sandboxKeys } from "../../sandbox/context.ts";
import { freshMilliseconds } from "../../jobs/fresh_input.ts";
import type { FaultRule } from "../../sandbox/faults.ts";
import { jumpingClock } from "../faults/clock.ts";
import { files, jobOf, line, native, prepare } from "./operations.ts";
import { type Ask, type Key, signHeader, signQuery } from "./sign.ts";
import { comparable, withWorld, type World } from "./world.ts";

async function faults({ gateway }: World, ...rules: FaultRule[]): Promise<void> {
  const url = `${gateway.sandbox.controlUrl}/faults`;
  await (await fetch(url, { method: "DELETE" })).body?.cancel();
  const added = await fetch(url, { method: "POST", body: JSON.stringify(rules) });
  assert.equal(added.status, 200, await added.text());
}

/** Requests that ask each kind of upstream something. */
function asksOf(bucket: string, arn: string): readonly Ask[] {
  const job = encodeURIComponent(arn);
  return [
    { method: "GET", path: `${files}/${bucket}/k.jsonl` },
    { method: "GET", path: `${files}/${bucket}/k.jsonl`, headers: { range: "bytes=0-3" } },
    { method: "PUT", path: `${files}/${bucket}/new.jsonl`, headers: native, body: line },
    { service: "bedrock", method: "GET", path: `/bedrock/model-invocation-job/${job}` },
    { service: "bedrock", method: "POST", path: `/bedrock/model-invocation-job/${job}/stop` },
    {
      service: "bedrock",
      method: "POST",
      path: "/bedrock/model-invocation-job",
      body: JSON.stringify(jobOf(bucket, "k.jsonl", "another")),
    },
  ];
}

Deno.test("(14) a redirect of an upstream is neither followed nor passed on", async () => {
  let visits = 0;
  // What stands for the address that hands out a machine's credentials.
  const metadata = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    visits++;
    return Response.json({ SecretAccessKey: "stolen" });
  });
  const location = `http://127.0.0.1:${metadata.addr.port}/latest/meta-data/iam`;
  try {
    await withWorld(async (world) => {
      const { keys } = world;
      for (const key of [keys.owner, keys.gemini, keys.aws]) {
        const { bucket, arn } = await prepare(world, key, { job: true });
        for (const status of [301, 302, 303, 307, 308]) {
          for (const ask of asksOf(bucket, arn)) {
            await faults(world, { status, headers: { location }, times: 100 });
            const answer = await world.ask(ask, key);
            const where = `${status} ${ask.method} ${ask.path}: ${answer.status} ${answer.body}`;
            assert.ok(answer.status >= 300, where);
            assert.equal(answer.headers.get("location"), null, where);
            assert.ok(!comparable(answer).includes("meta-data"), where);
          }
        }
        await faults(world);
      }
      assert.equal(visits, 0);
    }, { env: { BATCHWAY_POLL_SECONDS: "0" } });
  } finally {
    await metadata.shutdown();
  }
});

Deno.test("(15) what an upstream says of a key is in no answer and not in the log", async () => {
  const { clock, pass } = jumpingClock();
  await withWorld(async (world) => {
    const { keys, gateway } = world;
    const secrets = [sandboxKeys.openai, sandboxKeys.gemini];
    const asked: [ask: Ask, key: Key][] = [];
    for (const key of [keys.owner, keys.gemini]) {
      const { bucket, arn } = await prepare(world, key, { job: true });
      asked.push(...asksOf(bucket, arn).map((ask): [Ask, Key] => [ask, key]));
    }
    // Of an input that was just put some refusals are waited out.
    pass(freshMilliseconds + 1_000);
    for (const status of [400, 401, 403, 404, 500]) {
      await faults(
        world,
        ...(["openai", "gemini"] as const).map((provider) => {
          const said = sandboxKeys[provider];
          const message = `Incorrect API key provided: ${said}. <script>\r\nx-injected: 1`;
          const body = JSON.stringify({ error: { message, code: said, status: said, type: said } });
          const headers = { "x-request-id": said, "www-authenticate": `Bearer ${said}` };
          return { provider, status, body, headers, times: 1000 };
        }),
      );
      await Promise.all(asked.map(async ([ask, key]) => {
        const answer = await world.ask(ask, key);
        const all = comparable(answer);
        const where = `${status} ${ask.method} ${ask.path}: ${all}`;
        // A job that the catalog knows is told although its provider says that it is not there.
        const isKnown = status === 404 && ask.service === "bedrock" && ask.method === "GET";
        assert.ok(answer.status >= 400 || isKnown, where);
        assert.ok(!secrets.some((secret) => all.includes(secret)), where);
        if (ask.service !== "bedrock") assert.ok(!all.includes("<script>"), where);
        assert.equal(answer.headers.get("www-authenticate"), null, where);
      }));
    }
    await faults(world);
    assert.ok(!secrets.some((secret) => gateway.logged.join("").includes(secret)));
  }, { clock });
});

Deno.test("(13) what goes upstream is what was allowed: no client's proof, no hop, no other host", async () => {
  const received: { url: string; headers: Headers }[] = [];
  const upstream = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    received.push({ url: request.url, headers: new Headers(request.headers) });
    return new Response("<ListAllMyBucketsResult/>");
  });
  const url = `http://127.0.0.1:${upstream.addr.port}`;
  try {
    await withWorld(async (world) => {
      const { keys, host } = world;
      const headers = {
        "connection": "x-amz-meta-dropped",
        "x-amz-meta-dropped": "1",
        "x-forwarded-host": "evil",
        "cookie": "a=b",
        "forwarded": "for=evil",
        "x-model-provider": "bedrock",
        "x-amz-meta-kept": "1",
      };
      const odd = ["k", "a/../b", "a%23b", "a%40b", "a%5Cb", "a%0D%0Ab"];
      for (const name of odd) {
        const ask = { method: "GET", path: `${files}/bucket/${name}`, headers };
        for (const sign of [signHeader, signQuery]) {
          const answer = await world.send(sign(host, ask, keys.aws));
          assert.equal(answer.status, 200, `${name}: ${answer.body}`);
          const got = received.at(-1) ?? assert.fail();
          assert.equal(got.url, `${url}/bucket/${name}`);
          assert.equal(got.headers.get("host"), url.slice("http://".length));
          const authorization = got.headers.get("authorization") ?? "";
          assert.ok(authorization.includes(sandboxKeys.awsAccessKeyId), authorization);
          assert.ok(!authorization.includes(keys.aws.accessKeyId));
          const names = [...got.headers.keys()];
          for (
            const no of [
              "cookie",
              "forwarded",
              "x-forwarded-host",
              "x-model-provider",
              "x-amz-meta-dropped",
            ]
          ) {
            assert.ok(!names.includes(no), no);
          }
          assert.equal(got.headers.get("x-amz-meta-kept"), "1");
        }
      }
      // A region enters host names: one that is none is not used.
      assert.ok(received.every(({ url: one }) => one.startsWith(url)));
    }, { env: { AWS_ENDPOINT_URL_S3: url } });
  } finally {
    await upstream.shutdown();
  }
});
