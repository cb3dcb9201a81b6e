/** Slow sides: a provider, a tenant or a client that dawdles keeps nobody else waiting. */
import assert from "node:assert/strict";
import { connect, type RawConnection } from "../raw.ts";
import { files, line, prepare } from "./operations.ts";
import { type Key, signHeader } from "./sign.ts";
import { textOf, withWorld, type World } from "./world.ts";

/** A provider that takes 10 bytes of each request a second, and answers none. */
function slowProvider() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections = new Set<Deno.Conn>();
  const timers = new Set<ReturnType<typeof setInterval>>();
  let arrived = () => {};
  const taking = async (connection: Deno.Conn) => {
    const bytes = new Uint8Array(10);
    // It is given up in the meantime.
    const take = () => void connection.read(bytes).catch(() => {});
    timers.add(setInterval(take, 1_000));
    await connection.read(bytes);
    arrived();
  };
  const accepting = (async () => {
    for await (const connection of listener) {
      connections.add(connection);
      taking(connection).catch(() => {});
    }
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}/v1`,
    /** Resolves once so many requests have begun to arrive. */
    async has(count: number): Promise<void> {
      while (connections.size < count) await new Promise<void>((resolve) => (arrived = resolve));
    },
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearInterval(timer);
      for (const connection of connections) connection.close();
      listener.close();
      await accepting;
    },
  };
}

/** More than the sockets of a connection hold that nobody reads from. */
const large = line.repeat(Math.ceil(8 * 2 ** 20 / line.length));

const put = (world: World, key: Key, provider: string, body = line) =>
  world.ask({
    method: "PUT",
    path: `${files}/bucket/${provider}.jsonl`,
    headers: { "x-model-provider": provider },
    body,
  }, key);

Deno.test("puts to a provider that reads 10 bytes a second leave every other put its place, and end with 503", async () => {
  await using slow = slowProvider();
  const places = 8;
  await withWorld(async (world) => {
    const { keys } = world;
    // What sockets hold is sent at once: of some the reply is waited for, others stand still.
    const bodies = Array.from({ length: places }, (_, n) => n > 0 ? line : large);
    const stuck = bodies.map((body) => put(world, keys.owner, "openai", body));
    await slow.has(places);
    for (
      const [key, provider] of [
        [keys.other, "gemini"],
        [keys.third, "gemini"],
        [keys.owner, "gemini"],
        [keys.aws, "bedrock"],
        [keys.otherAws, "bedrock"],
      ] as const
    ) {
      const bucket = provider === "bedrock" ? "other-bucket" : "bucket";
      if (provider === "bedrock") {
        const made = await world.ask({ method: "PUT", path: `${files}/${bucket}` }, keys.aws);
        assert.ok([200, 409].includes(made.status), made.body);
      }
      const answer = await world.ask({
        method: "PUT",
        path: `${files}/${bucket}/key.jsonl`,
        headers: { "x-model-provider": provider },
        body: line,
      }, key);
      assert.equal(answer.status, 200, `${provider}: ${answer.body}`);
    }
    const more = await put(world, keys.owner, "openai");
    assert.equal(more.status, 503);
    for (const answer of await Promise.all(stuck)) {
      assert.deepEqual([answer.status, answer.code], [503, "ServiceUnavailable"], answer.body);
      assert.match(answer.body, /did not answer in time/);
    }
  }, {
    env: { OPENAI_BASE_URL: slow.url },
    configuration: JSON.stringify({ limits: { concurrentUploads: places } }),
    providerTimeouts: {
      callMilliseconds: 300,
      replyMilliseconds: 1_200,
      idleMilliseconds: 1_200,
    },
  });
});

Deno.test("eleven parts that declare 2 GiB and send 100 bytes leave the disk to others", async () => {
  await withWorld(async (world) => {
    const { keys, host, url } = world;
    const place = await prepare(world, keys.owner);
    const upload = `${files}/bucket/other.jsonl`;
    const begun = await world.ask({ method: "POST", path: upload, query: "uploads=" }, keys.other);
    const id = /<UploadId>([^<]+)</.exec(begun.body)?.[1] ?? assert.fail(begun.body);
    const connections: RawConnection[] = [];
    try {
      for (let number = 1; number <= 11; number++) {
        const wire = signHeader(host, {
          method: "PUT",
          path: `${files}/${place.bucket}/upload.jsonl`,
          query: `partNumber=${number}&uploadId=${place.uploadId}`,
          headers: { "x-model-provider": "gemini" },
          payload: "UNSIGNED-PAYLOAD",
        }, { ...keys.owner });
        const text = textOf({
          ...wire,
          headers: { ...wire.headers, "content-length": `${2 * 2 ** 30}` },
        });
        const connection = await connect(url);
        connections.push(connection);
        await connection.write(text + "x".repeat(100));
      }
      const part = await world.ask({
        method: "PUT",
        path: upload,
        query: `partNumber=1&uploadId=${id}`,
        body: line,
      }, keys.other);
      assert.equal(part.status, 200, part.body);
    } finally {
      for (const connection of connections) connection.close();
    }
  });
});

Deno.test("bodies of control calls that stand still are cut before they reach an upstream, forwarded ones too", async () => {
  await withWorld(async (world) => {
    const { keys, host, url } = world;
    const path = `${files}/bucket/key.jsonl`;
    const list = [
      ["PUT", "tagging=", keys.aws],
      ["POST", "uploadId=none", keys.aws],
      ["POST", "uploadId=none", keys.owner],
    ] as const;
    for (const [method, query, key] of list) {
      await world.upstream();
      const wire = signHeader(host, { method, path, query, payload: "UNSIGNED-PAYLOAD" }, key);
      const connection = await connect(url);
      try {
        const headers = { ...wire.headers, "content-length": "5000" };
        await connection.write(`${textOf({ ...wire, headers })}<half`);
        const answer = await connection.read();
        assert.equal(answer?.status, 400, `${method} ${query}: ${answer?.body}`);
        assert.match(answer.body, /<Code>RequestTimeout<\/Code>/);
      } finally {
        connection.close();
      }
      assert.deepEqual(await world.upstream(), [], `${method} ${query}`);
    }
    const { status } = await put(world, keys.owner, "gemini");
    assert.equal(status, 200, "the places are free again");
  }, {
    env: { BATCHWAY_IDLE_SECONDS: "0.2" },
    configuration: JSON.stringify({ limits: { concurrentUploads: 1 } }),
  });
});

Deno.test("a client that does not read its object is cut off, and one that reads gets it whole", async () => {
  await withWorld(async (world) => {
    const { keys, host, url } = world;
    assert.equal((await put(world, keys.owner, "openai", large)).status, 200);
    const get = { method: "GET", path: `${files}/bucket/openai.jsonl` };
    const whole = await world.ask(get, keys.owner);
    assert.equal(whole.body.length, large.length);
    // The gateway gives up after a second and a half; a busy machine may take longer to notice.
    let got = large.length;
    for (let wait = 2_000; got === large.length && wait < 20_000; wait *= 2) {
      const connection = await connect(url);
      try {
        await connection.write(textOf(signHeader(host, get, keys.owner)));
        await new Promise((resolve) => setTimeout(resolve, wait));
        got = (await connection.read())?.body.length ?? 0;
      } finally {
        connection.close();
      }
    }
    assert.ok(got < large.length, "the rest never comes");
  }, { env: { BATCHWAY_IDLE_SECONDS: "0.3" } });
});
