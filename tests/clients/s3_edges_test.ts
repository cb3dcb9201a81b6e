/** What S3 answers to odd requests, spoken without a client that would put them right. */
import assert from "node:assert/strict";
import { childText, parseXml } from "../../codecs/s3_xml.ts";
import { allow } from "../keys.ts";
import { withGateway } from "./session.ts";

/** Asks the S3 of a gateway for a provider's objects. */
function asker(url: string, provider: string) {
  return async (path: string, method = "GET", more: RequestInit = {}) => {
    const headers = { "x-model-provider": provider, ...more.headers };
    const response = await fetch(`${url}/bedrock/files${path}`, { ...more, method, headers });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
}

for (const provider of ["openai", "bedrock"]) {
  Deno.test(`the last bytes of an empty object of ${provider} are nothing, and no error`, () =>
    withGateway(async ({ url }) => {
      const ask = asker(url, provider);
      await ask("/edges", "PUT");
      assert.equal((await ask("/edges/empty", "PUT", { body: "" })).status, 200);
      const cases = { "bytes=-1": 200, "bytes=-4096": 200, "bytes=-0": 416, "bytes=0-": 416 };
      for (const [range, status] of Object.entries(cases)) {
        const got = await ask("/edges/empty", "GET", { headers: { range } });
        assert.equal(got.status, status, range);
        if (status === 200) assert.equal(got.text, "", range);
        const head = await ask("/edges/empty", "HEAD", { headers: { range } });
        assert.equal(head.status, status, range);
      }
    }));
}

Deno.test("an unsigned HeadBucket is refused with the bucket's region, and nothing else is revealed", async () => {
  const folder = await Deno.makeTempDir({ prefix: "batchway-edges-" });
  try {
    const catalogPath = `${folder}/catalog.kv`;
    const opening = await allow(catalogPath, { accessKeyId: "key", secretAccessKey: "secret" });
    await withGateway(async ({ url }) => {
      const ask = asker(url, "openai");
      const region = async (path: string, headers: Record<string, string> = {}) => {
        const { status, headers: answered } = await ask(path, "HEAD", { headers });
        return [status, answered.get("x-amz-bucket-region")];
      };
      assert.deepEqual(await region("/any-bucket"), [403, "eu-west-3"]);
      assert.deepEqual(await region("/any-bucket/"), [403, "eu-west-3"]);
      const claim = "AWS4-HMAC-SHA256 Credential=nobody/20261130/us-east-2/s3/aws4_request, " +
        `SignedHeaders=host, Signature=${"0".repeat(64)}`;
      const signed = { authorization: claim, "x-amz-date": "20261130T000000Z" };
      assert.deepEqual(await region("/any-bucket", signed), [403, "us-east-2"]);
      assert.deepEqual(await region("/any-bucket/key"), [403, null]);
      assert.deepEqual(await region("/"), [403, null]);
    }, { catalogPath, env: { ...opening, AWS_REGION: "eu-west-3" } });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (const provider of ["openai", "gemini"]) {
  Deno.test(`no answer about objects of ${provider} holds what XML cannot, whatever keys are called`, () =>
    withGateway(async ({ url }) => {
      const ask = asker(url, provider);
      const names = ["a%00b.jsonl", "%01", "x%1F/%EF%BF%BF"];
      const body = provider === "openai" ? "{}\n" : '{"key":"a","request":{}}\n';
      for (const name of names) {
        const put = await ask(`/edges/${name}`, "PUT", { body });
        assert.equal(put.status, 200, put.text);
        await ask(`/edges/${name}?uploads`, "POST");
      }
      const lists = ["", "?list-type=2", "?versions", "?uploads"];
      for (const list of lists) {
        const { text } = await ask(`/edges${list}`);
        const root = await parseXml(text, { maxBytes: 100_000 });
        assert.equal(childText(root, "EncodingType"), "url", list);
        for (const name of names) assert.ok(text.includes(`<Key>${name}</Key>`), `${list} ${name}`);
      }
      const others = [
        "/edges?list-type=2&prefix=none%00",
        "/edges?delimiter=%1F&marker=%00",
        "/edges?versions&key-marker=zz%0B",
        "/edges/absent%00%02",
        "/edges?list-type=2&continuation-token=%01",
      ];
      for (const path of others) {
        const { text } = await ask(path);
        await parseXml(text, { maxBytes: 100_000 });
      }
      const opened = await ask("/edges/up%08load?uploads", "POST");
      await parseXml(opened.text, { maxBytes: 100_000 });
    }));
}

Deno.test("a key that XML cannot hold is MalformedXML where a document names it", () =>
  withGateway(async ({ url }) => {
    const ask = asker(url, "openai");
    for (const key of ["&#0;", "a&#x1;", "b\u0002", "&#xFFFF;"]) {
      const body = `<Delete><Object><Key>${key}</Key></Object></Delete>`;
      const md5 = new Uint8Array(
        (await import("node:crypto")).createHash("md5").update(body).digest(),
      ).toBase64();
      const answer = await ask("/edges?delete", "POST", { body, headers: { "content-md5": md5 } });
      assert.equal(answer.status, 400, key);
      assert.match(answer.text, /<Code>MalformedXML<\/Code>/);
    }
  }));

for (const provider of ["openai", "gemini"]) {
  Deno.test(`small chunks before the last are refused for ${provider}, and nothing is stored`, () =>
    withGateway(async ({ url }) => {
      const ask = asker(url, provider);
      const send = async (path: string, sizes: readonly number[]) => {
        const framed = [...sizes, 0].map((n) => `${n.toString(16)}\r\n${"x".repeat(n)}\r\n`);
        return await ask(path, "PUT", {
          body: framed.join(""),
          headers: {
            "content-encoding": "aws-chunked",
            "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "x-amz-decoded-content-length": `${sizes.reduce((sum, one) => sum + one, 0)}`,
          },
        });
      };
      const opened = await ask("/edges/parts?uploads", "POST");
      const id = /<UploadId>([^<]*)</.exec(opened.text)?.[1];
      const targets = ["/edges/chunks.jsonl", `/edges/parts?partNumber=1&uploadId=${id}`];
      for (const path of targets) {
        for (const sizes of [[1, 1], [8191, 1], [8192, 1, 8192]]) {
          const refused = await send(path, sizes);
          assert.equal(refused.status, 403, `${path} ${sizes}`);
          assert.match(refused.text, /<Code>InvalidChunkSizeError<\/Code>/);
        }
      }
      assert.equal((await ask("/edges/chunks.jsonl", "HEAD")).status, 404);
      assert.doesNotMatch((await ask(`/edges/parts?uploadId=${id}`)).text, /<Part>/);
      assert.equal((await send(targets[1] ?? "", [8192, 8193, 1])).status, 200);
    }));
}
