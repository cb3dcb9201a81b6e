/** Crowds and dawdlers: uploads that never end, early refusals, and too many requests. */
import assert from "node:assert/strict";
import { connect, type RawConnection } from "../raw.ts";
import { bedrockOperations, files, line, prepare, s3Operations } from "./operations.ts";
import { signHeader, signQuery } from "./sign.ts";
import { textOf, withWorld } from "./world.ts";

/** As many as most machines' limit of open files allows, both ends being in this process. */
const crowd = 2_000;
const room = 50;

Deno.test("(20) half-open uploads take the room that there is, the rest is asked to wait, and all are cut", async () => {
  await withWorld(async (world) => {
    const { keys, host, url } = world;
    const before = await world.state();
    const connections: RawConnection[] = [];
    const used = Deno.memoryUsage().rss;
    try {
      const ask = {
        method: "PUT",
        path: `${files}/bucket/half.jsonl`,
        payload: "UNSIGNED-PAYLOAD",
      };
      const wire = signHeader(host, ask, keys.owner);
      const text = textOf({ ...wire, headers: { ...wire.headers, "content-length": "1000000" } });
      for (let at = 0; at < crowd; at++) {
        const connection = await connect(url);
        connections.push(connection);
        await connection.write(`${text}{"half":`);
      }
      const answers = Promise.all(connections.map((one) => one.read()));
      const health = await fetch(`${url}/healthz`);
      assert.deepEqual([health.status, await health.json()], [200, { status: "ok" }]);
      const list = await world.ask({ method: "GET", path: files }, keys.owner);
      assert.equal(list.status, 200, "what uploads nothing is answered");
      const all = await answers;
      const cut = all.filter((one) => one?.status === 400 && /RequestTimeout/.test(one.body));
      const refused = all.filter((one) => one?.status === 503 && /SlowDown/.test(one.body));
      assert.equal(cut.length + refused.length, crowd, `${all.map((one) => one?.status)}`);
      assert.ok(cut.length >= room && refused.length > 0, `${cut.length} were let in`);
      assert.ok(refused.every((one) => one?.headers.get("retry-after") === "1"));
      // Both ends of a connection cost less than 256 KiB; a million bytes were announced for each.
      assert.ok(Deno.memoryUsage().rss - used < crowd * 256 * 1024, "memory grew with the crowd");
      assert.equal(await world.state(), before);
    } finally {
      for (const connection of connections) connection.close();
    }
    const put = await world.ask(
      { method: "PUT", path: `${files}/bucket/k.jsonl`, body: line },
      keys.owner,
    );
    assert.equal(put.status, 200, "there is room again");
  }, {
    env: { BATCHWAY_IDLE_SECONDS: "1.5" },
    configuration: JSON.stringify({ limits: { concurrentUploads: room } }),
  });
});

Deno.test("(20) half-open bodies of Bedrock and of strangers are cut, too", async () => {
  await withWorld(async (world) => {
    const { keys, host, url } = world;
    const before = await world.state();
    const bedrock = {
      service: "bedrock" as const,
      method: "POST",
      path: "/bedrock/model-invocation-job",
      body: "{}",
    };
    const stranger = { ...keys.owner, accessKeyId: "BWAKAAAAAAAAAAAAAAAA" };
    const texts = [
      textOf(signHeader(host, bedrock, keys.owner)).replace(
        "content-length: 2",
        "content-length: 900",
      ),
      textOf(signHeader(host, bedrock, stranger)).replace(
        "content-length: 2",
        "content-length: 900",
      ),
    ];
    for (const text of texts) {
      const connection = await connect(url);
      try {
        await connection.write(text);
        const answer = await connection.read();
        assert.equal(answer?.status, 400, `${answer?.body}`);
        assert.match(answer.body, /No byte of the body came/);
      } finally {
        connection.close();
      }
    }
    assert.equal(await world.state(), before);
  }, { env: { BATCHWAY_IDLE_SECONDS: "0.3" } });
});

Deno.test("(19) a refusal comes while the body is still on its way, and nothing of that is kept", async () => {
  await withWorld(async (world) => {
    const { keys, host, url } = world;
    const before = await world.state();
    const stranger = { ...keys.owner, secretAccessKey: "wrong" };
    const put = { method: "PUT", path: `${files}/bucket/k.jsonl`, payload: "UNSIGNED-PAYLOAD" };
    const size = 1_000_000;
    for (
      const [key, more, status] of [
        [stranger, {}, 403],
        [keys.disabled, {}, 403],
        [keys.reader, {}, 403],
        [keys.limited, {}, 403],
        [keys.owner, { "x-model-provider": "none" }, 400],
        [keys.owner, { "content-md5": "x" }, 400],
      ] as const
    ) {
      const wire = signHeader(host, { ...put, headers: more }, key);
      const text = textOf({ ...wire, headers: { ...wire.headers, "content-length": `${size}` } });
      const connection = await connect(url);
      try {
        await connection.write(`${text}${"x".repeat(1000)}`);
        // Most of the body has not been sent, and the answer is there.
        const answer = await connection.read();
        assert.equal(answer?.status, status, `${answer?.body}`);
        assert.equal(await world.state(), before);
        // A client that goes on nevertheless neither stalls nor has its bytes taken for a request.
        const rest = "GET /smuggled HTTP/1.1\r\n\r\n".repeat(10).padEnd(size - 1000, "x");
        await connection.write(rest).catch(() => {});
        const next = await connection.write(`GET /healthz HTTP/1.1\r\nhost: ${host}\r\n\r\n`)
          .then(() => connection.read()).catch(() => undefined);
        assert.ok(
          next === undefined || next.body === '{"status":"ok"}',
          `${next?.status} ${next?.body}`,
        );
      } finally {
        connection.close();
      }
    }
    assert.equal(await world.state(), before);
  });
});

Deno.test("a caller that sends more than it may is asked to wait, in the words of S3 and of Bedrock, and others are not", async () => {
  await withWorld(async (world) => {
    const { keys, url } = world;
    const [s3] = s3Operations.filter(({ name }) => name === "ListBuckets");
    const [bedrock] = bedrockOperations.filter(({ name }) => name === "ListModelInvocationJobs");
    const place = { bucket: "", key: "", etag: "", uploadId: "", partTag: "", arn: "" };
    const ask = s3?.ask(place) ?? assert.fail();
    const call = bedrock?.ask(place) ?? assert.fail();
    // A request in ten seconds: one goes through, and the next ones come too early.
    assert.equal((await world.ask(ask, keys.owner)).status, 200);
    const slow = await world.ask(ask, keys.owner);
    assert.deepEqual([slow.status, slow.code], [503, "SlowDown"], slow.body);
    assert.match(slow.headers.get("retry-after") ?? "", /^[1-9][0-9]*$/);
    const throttled = await world.ask(call, keys.owner);
    assert.deepEqual([throttled.status, throttled.code], [429, "ThrottlingException"]);
    assert.ok(Number(throttled.headers.get("retry-after")) >= 1);
    assert.equal((await world.ask({ ...call, path: "/readyz" }, keys.owner)).status, 503);
    assert.equal((await world.ask(call, keys.other)).status, 200, "another key has its own rate");
    // A wrong signature uses nothing up of the rate of whose id it bears.
    for (let at = 0; at < 5; at++) {
      const forged = { ...keys.third, secretAccessKey: "wrong" };
      assert.equal((await world.ask(ask, forged)).code, "SignatureDoesNotMatch");
    }
    assert.equal((await world.ask(ask, keys.third)).status, 200);
    for (let at = 0; at < 20; at++) {
      const health = await fetch(`${url}/healthz`);
      assert.equal(health.status, 200, "strangers cannot use up the rate of the health check");
      await health.body?.cancel();
    }
  }, { configuration: JSON.stringify({ limits: { requestsPerSecond: 0.1 } }) });
});

Deno.test("a signature that names one header thousands of times is refused before it is computed", async () => {
  await withWorld(async (world) => {
    const { keys, host } = world;
    const names = "a;".repeat(7_000);
    const headers = { a: "x".repeat(15_000) };
    const ask = { method: "GET", path: files, headers };
    const wire = signHeader(host, ask, keys.owner);
    assert.equal((await world.send(wire)).status, 200);
    // 7,000 lines of 15,000 characters would be 100 MB to hash, for a head of 30 KB.
    const authorization = wire.headers["authorization"]
      ?.replace("SignedHeaders=a;", `SignedHeaders=${names}`) ?? "";
    const answer = await world.send({ ...wire, headers: { ...wire.headers, authorization } });
    assert.equal(answer.code, "AuthorizationHeaderMalformed", answer.body);
    const link = signQuery(host, { method: "GET", path: files, headers }, keys.owner);
    const query = link.query.replace("SignedHeaders=a%3B", "SignedHeaders=a%3Ba%3B");
    const malformed = await world.send({ ...link, query });
    assert.equal(malformed.code, "AuthorizationQueryParametersError", malformed.body);
  });
});

Deno.test("a key that may use certain buckets cannot take an upload's place of another", async () => {
  await withWorld(async (world) => {
    const { keys } = world;
    const place = await prepare(world, keys.owner);
    const part = {
      method: "PUT",
      path: `${files}/${place.bucket}/upload.jsonl`,
      query: `partNumber=1&uploadId=${place.uploadId}`,
      body: line,
    };
    const before = await world.state();
    assert.equal((await world.ask(part, keys.limited)).code, "AccessDenied");
    assert.equal((await world.ask(part, keys.other)).code, "NoSuchUpload");
    assert.equal(await world.state(), before);
  });
});
