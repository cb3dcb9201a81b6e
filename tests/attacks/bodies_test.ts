/** Bodies that lie: frames, signatures, digests, documents, names. Nothing of them is kept. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { exchange } from "../raw.ts";
import { bedrockOperations, files, jobOf, line, prepare } from "./operations.ts";
import { type Ask, type Key, signChunks, signHeader, signQuery, type Wire } from "./sign.ts";
import { textOf, withWorld, type World } from "./world.ts";

const digest = (name: string, text: string) => createHash(name).update(text, "latin1").digest();
const crc = (text: string) => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, crc32(text));
  return bytes.toBase64();
};

/** The stored and the forwarded side, each with a bucket. */
async function sides(world: World): Promise<Key[]> {
  const { owner, aws } = world.keys;
  for (const key of [owner, aws]) {
    await world.ask({ method: "PUT", path: `${files}/bucket` }, key);
  }
  return [owner, aws];
}

const put = { method: "PUT", path: `${files}/bucket/chunked.jsonl` };
/** Only the last chunk of a body may have less than 8,192 bytes. */
const least = 8192;
const text = line.padEnd(least, " ") + line;
const parts = [text.slice(0, least), text.slice(least)];
const checksum = `x-amz-checksum-crc32:${crc(text)}`;

interface Chunked {
  readonly mode: string;
  readonly trailer?: string;
  readonly decoded?: number;
}

function chunkedHead({ host }: World, key: Key, { mode, trailer, decoded }: Chunked): Wire {
  const headers: Record<string, string> = {
    "content-encoding": "aws-chunked",
    "x-amz-decoded-content-length": `${decoded ?? text.length}`,
    ...(trailer !== undefined && { "x-amz-trailer": trailer.split(":")[0] ?? "" }),
  };
  return signHeader(host, { ...put, headers, payload: mode }, key);
}

Deno.test("(9) chunks that lie of their size, order, signature, end or trailer are refused, and nothing is stored", async () => {
  await withWorld(async (world) => {
    const signedMode = { mode: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" };
    const trailerMode = { mode: `${signedMode.mode}-TRAILER`, trailer: checksum };
    const plainMode = { mode: "STREAMING-UNSIGNED-PAYLOAD-TRAILER", trailer: checksum };
    const zeros = "0".repeat(64);
    const wrongCrc = `x-amz-checksum-crc32:${crc("other")}`;
    const signed = (form: Chunked, key: Key, edit: (body: string[]) => string[]): Wire => {
      const wire = chunkedHead(world, key, form);
      const { chunks, end } = signChunks(wire, key, parts, form.trailer);
      return { ...wire, body: edit([...chunks, end]).join("") };
    };
    const plain = (body: string, decoded?: number) => (key: Key): Wire => ({
      ...chunkedHead(world, key, { ...plainMode, ...(decoded !== undefined && { decoded }) }),
      body,
    });
    const chunk = (data: string) => `${data.length.toString(16)}\r\n${data}\r\n`;
    const swap =
      (from: string | RegExp, to: string) => (body: string[]) => [body.join("").replace(from, to)];
    const good: Record<string, (key: Key) => Wire> = {
      "signed chunks": (key) => signed(signedMode, key, (body) => body),
      "signed chunks with a trailer": (key) => signed(trailerMode, key, (body) => body),
      "unsigned chunks": plain(`${chunk(text)}0\r\n${checksum}\r\n\r\n`),
    };
    const bad: Record<string, (key: Key) => Wire> = {
      "a made-up signature": (key) =>
        signed(signedMode, key, swap(/signature=[0-9a-f]{64}/, `signature=${zeros}`)),
      "no signature": (key) => signed(signedMode, key, swap(/;chunk-signature=[0-9a-f]{64}/, "")),
      "another byte": (key) => signed(signedMode, key, swap("custom", "Custom")),
      "a chunk less": (key) => signed(signedMode, key, (body) => body.slice(1)),
      "another order": (key) =>
        signed(signedMode, key, ([a = "", b = "", ...rest]) => [b, a, ...rest]),
      "no last chunk": (key) => signed(signedMode, key, (body) => body.slice(0, 2)),
      "a made-up last chunk": (key) =>
        signed(
          signedMode,
          key,
          (body) => [...body.slice(0, 2), `0;chunk-signature=${zeros}\r\n\r\n`],
        ),
      "chunks of another key": (key) => {
        const wire = chunkedHead(world, key, signedMode);
        const { chunks, end } = signChunks(wire, world.keys.other, parts);
        return { ...wire, body: [...chunks, end].join("") };
      },
      "a made-up trailer signature": (key) =>
        signed(
          trailerMode,
          key,
          swap(/trailer-signature:[0-9a-f]{64}/, `trailer-signature:${zeros}`),
        ),
      "no trailer signature": (key) =>
        signed(trailerMode, key, swap(/x-amz-trailer-signature:.*\r\n/, "")),
      "another trailer": (key) => signed(trailerMode, key, swap(checksum, wrongCrc)),
      "a trailer that is wrong and signed": (key) =>
        signed({ ...trailerMode, trailer: wrongCrc }, key, (body) => body),
      "no trailer": plain(`${chunk(text)}0\r\n\r\n`),
      "a wrong trailer": plain(`${chunk(text)}0\r\n${wrongCrc}\r\n\r\n`),
      "a size too large": plain(`ffff\r\n${text}\r\n0\r\n${checksum}\r\n\r\n`),
      "a size too small": plain(`3\r\n${text}\r\n0\r\n${checksum}\r\n\r\n`),
      "a size that is none": plain(`zz\r\n${text}\r\n0\r\n${checksum}\r\n\r\n`),
      "a negative size": plain(`-5\r\n${text}\r\n0\r\n${checksum}\r\n\r\n`),
      "a huge size": plain(`fffffffffffffffff\r\n${text}\r\n0\r\n${checksum}\r\n\r\n`),
      "more than was told": plain(`${chunk(text)}0\r\n${checksum}\r\n\r\n`, text.length - 1),
      "less than was told": plain(`${chunk(text)}0\r\n${checksum}\r\n\r\n`, text.length + 1),
      "no chunks": plain(text),
      "small chunks before the last": plain(
        `${chunk(text.slice(0, 9))}${chunk(text.slice(9))}0\r\n${checksum}\r\n\r\n`,
      ),
      "no end": plain(chunk(text)),
    };
    for (const key of await sides(world)) {
      for (const [what, make] of Object.entries(good)) {
        const answer = await world.send(make(key));
        assert.equal(answer.status, 200, `${what}: ${answer.body}`);
        const got = await world.ask({ method: "GET", path: put.path }, key);
        assert.equal(got.body, text, what);
        await world.ask({ method: "DELETE", path: put.path }, key);
      }
      const before = await world.state();
      for (const [what, make] of Object.entries(bad)) {
        const answer = await world.send(make(key));
        assert.ok([400, 403].includes(answer.status), `${what}: ${answer.status} ${answer.body}`);
        assert.notEqual(answer.code, "", what);
        assert.equal(await world.state(), before, what);
      }
    }
  });
});

Deno.test("(10) a body without the digest that was declared is refused, and nothing is stored", async () => {
  await withWorld(async (world) => {
    const other = "other";
    const lies: Record<string, string> = {
      "content-md5": digest("md5", other).toString("base64"),
      "x-amz-checksum-crc32": crc(other),
      "x-amz-checksum-sha1": digest("sha1", other).toString("base64"),
      "x-amz-checksum-sha256": digest("sha256", other).toString("base64"),
    };
    for (const key of await sides(world)) {
      const before = await world.state();
      const hex = digest("sha256", other).toString("hex");
      for (const [name, value] of Object.entries(lies)) {
        for (const way of ["header", "link"] as const) {
          const answer = await world.ask(
            { ...put, body: line, headers: { [name]: value } },
            key,
            way,
          );
          assert.equal(answer.status, 400, `${way} ${name}: ${answer.body}`);
          assert.equal(await world.state(), before, name);
        }
      }
      const hashed = await world.ask({ ...put, body: line, payload: hex }, key);
      assert.equal(hashed.code, "XAmzContentSHA256Mismatch");
      // A link that holds its body's digest, as Amazon's JavaScript SDK makes it.
      for (
        const [name, hash, status] of [
          ["X-Amz-Content-Sha256", hex, 400],
          ["x-amz-content-sha256", hex.toUpperCase(), 400],
          ["X-Amz-Content-Sha256", digest("sha256", line).toString("hex"), 200],
        ] as const
      ) {
        assert.equal(await world.state(), before, "the digest of a link");
        const query = `${name}=${hash}`;
        const answer = await world.ask({ ...put, body: line, query, payload: hash }, key, "link");
        assert.equal(answer.status, status, `${query}: ${answer.body}`);
      }
      const { uploadId, partTag, bucket } = await prepare(world, key);
      const done = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>" +
        `<ETag>${partTag}</ETag></Part></CompleteMultipartUpload>`;
      const ask = {
        method: "POST",
        path: `${files}/${bucket}/upload.jsonl`,
        query: `uploadId=${uploadId}&X-Amz-Content-Sha256=${hex}`,
        payload: hex,
        body: done,
      };
      const answer = await world.ask(ask, key, "link");
      assert.equal(answer.status, 400, `${answer.body}`);
    }
  });
});

Deno.test("(11, 12) documents that swell, nest, or ask for too much are refused", async () => {
  await withWorld(async (world) => {
    const { keys } = world;
    const { bucket, uploadId } = await prepare(world, keys.owner);
    const before = await world.state();
    const entities = Array.from(
      { length: 20 },
      (_, at) => `<!ENTITY a${at + 1} "${`&a${at};`.repeat(10)}">`,
    );
    const bomb = `<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a0 "ha">${entities.join("")}]>`;
    const object = (key: string) => `<Object><Key>${key}</Key></Object>`;
    const documents: Record<string, string> = {
      "entities of entities": `${bomb}<Delete>${object("&a20;")}</Delete>`,
      "an entity from a file": `<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete>${
        object("&x;")
      }</Delete>`,
      "an entity from the network": `<!DOCTYPE d SYSTEM "http://169.254.169.254/"><Delete>${
        object("k")
      }</Delete>`,
      "depth": `${"<a>".repeat(50_000)}${"</a>".repeat(50_000)}`,
      "1,001 deletes": `<Delete>${
        Array.from({ length: 1001 }, () => object("k.jsonl")).join("")
      }</Delete>`,
      "no XML": "{}",
      "an open element": "<Delete><Object><Key>k.jsonl",
      "another root": "<Other/>",
    };
    for (const [what, body] of Object.entries(documents)) {
      const headers = { "content-md5": digest("md5", body).toString("base64") };
      const ask = { method: "POST", path: `${files}/${bucket}`, query: "delete", headers, body };
      const answer = await world.ask(ask, keys.owner);
      assert.equal(answer.status, 400, `${what}: ${answer.status} ${answer.body}`);
      assert.match(answer.code, /^(?:MalformedXML|MaxMessageLengthExceeded|InvalidRequest)$/, what);
      assert.ok(answer.body.length < 2000 && !answer.body.includes("root:"), what);
      const complete = {
        ...ask,
        path: `${files}/${bucket}/upload.jsonl`,
        query: `uploadId=${uploadId}`,
      };
      assert.equal((await world.ask(complete, keys.owner)).status, 400, what);
      assert.equal(await world.state(), before, what);
    }
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    const { ask } = bedrockOperations[0] ?? assert.fail();
    const place = { bucket, key: "k", etag: "", uploadId: "", partTag: "", arn: "" };
    for (
      const body of [deep, `{"jobName":${deep}}`, '{"a":', "null", "[]", '"x"', "1e999", "\xff\xfe"]
    ) {
      const answer = await world.ask({ ...ask(place), body }, keys.owner);
      assert.equal(
        answer.code,
        "ValidationException",
        `${body.slice(0, 20)}: ${answer.body.slice(0, 200)}`,
      );
    }
    const large = await world.ask({ ...ask(place), body: " ".repeat(1_100_000) }, keys.owner);
    assert.equal(large.status, 400);
    assert.equal(await world.state(), before);
  });
});

Deno.test("(24) names that JavaScript's objects inherit are names like others", async () => {
  await withWorld(async (world) => {
    const { keys } = world;
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    const headers = Object.fromEntries(
      names.map((name) => [`x-amz-meta-${name.toLowerCase()}`, name]),
    );
    const { bucket } = await prepare(world, keys.owner);
    const path = `${files}/${bucket}/proto.jsonl`;
    assert.equal(
      (await world.ask({ method: "PUT", path, body: line, headers }, keys.owner)).status,
      200,
    );
    const head = await world.ask({ method: "HEAD", path }, keys.owner);
    for (const [name, value] of Object.entries(headers)) {
      assert.equal(head.headers.get(name), value);
    }
    for (const name of names) {
      const query = `list-type=2&${name}=x&prefix=proto`;
      const list = await world.ask(
        { method: "GET", path: `${files}/${bucket}`, query },
        keys.owner,
      );
      assert.match(list.body, /<KeyCount>1</, name);
      const plain = await world.ask({ method: "GET", path, query: name }, keys.owner);
      assert.equal(plain.body, line, name);
    }
    const tags = names.map((key) => ({ key, value: "v" }));
    const body = JSON.stringify({ ...jobOf(bucket, "proto.jsonl", "proto"), tags })
      .replace("{", '{"__proto__":{"jobName":"evil"},"constructor":{"prototype":{"x":1}},');
    const create: Ask = {
      service: "bedrock",
      method: "POST",
      path: "/bedrock/model-invocation-job",
      body,
    };
    const made = await world.ask(create, keys.owner);
    assert.equal(made.status, 200, made.body);
    const { jobArn: resourceARN } = JSON.parse(made.body);
    const listed = await world.ask(
      {
        service: "bedrock",
        method: "POST",
        path: "/bedrock/listTagsForResource",
        body: JSON.stringify({ resourceARN }),
      },
      keys.owner,
    );
    const found: { key: string }[] = JSON.parse(listed.body).tags;
    assert.deepEqual(found.map(({ key }) => key).sort(), [...names].sort());
    const inherited =
      JSON.stringify(jobOf(bucket, "proto.jsonl", "evil")).replace(/^/, '{"__proto__":') + "}";
    const refused = await world.ask({ ...create, body: inherited }, keys.owner);
    assert.equal(refused.code, "ValidationException");
    assert.equal((Object.prototype as Record<string, unknown>)["x"], undefined);
  });
});

Deno.test("(13) line breaks in what becomes a header are refused, and inject nothing", async () => {
  await withWorld(async (world) => {
    const injected = "v%0D%0Ax-injected:%201%0D%0A%0D%0Abody";
    for (const key of await sides(world)) {
      const { bucket } = await prepare(world, key);
      const before = await world.state();
      for (
        const [method, query, body] of [
          ["PUT", `x-amz-meta-a=${injected}`, line],
          ["PUT", `x-amz-acl=${injected}`, line],
          ["GET", `response-content-type=${injected}`, ""],
          ["GET", `response-content-disposition=${injected}`, ""],
        ] as const
      ) {
        // What an answer's header becomes is the upstream's to say.
        if (key === world.keys.aws && method === "GET") continue;
        const path = `${files}/${bucket}/${method === "PUT" ? "new" : "k.jsonl"}`;
        const wire = signQuery(world.host, { method, path, query, body }, key);
        const answer = await exchange(world.url, textOf(wire));
        const where = `${query}: ${answer?.status} ${answer?.body}`;
        assert.equal(answer?.headers.get("x-injected"), null, where);
        assert.equal(answer?.status, 400, where);
        assert.equal(await world.state(), before, where);
      }
    }
  });
});
