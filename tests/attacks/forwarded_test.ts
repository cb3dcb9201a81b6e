/** Forwarded requests: what was verified and allowed is what the upstream gets, and nothing else. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { files, jobOf } from "./operations.ts";
import { type Ask, signHeader, signQuery, type Wire } from "./sign.ts";
import { withWorld, type World } from "./world.ts";

interface Received {
  readonly headers: Headers;
  readonly body: string;
}

/** A world whose S3 and Bedrock are an upstream that keeps what it gets. */
async function withUpstream(
  work: (world: World, received: Received[]) => Promise<void>,
  configuration = "{}",
): Promise<void> {
  const received: Received[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    received.push({ headers: new Headers(request.headers), body: await request.text() });
    return new Response("{}");
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  try {
    await withWorld((world) => work(world, received), {
      env: { AWS_ENDPOINT_URL_S3: url, AWS_ENDPOINT_URL_BEDROCK: url },
      configuration,
    });
  } finally {
    await server.shutdown();
  }
}

/** A signed request with headers that somebody on the way added. */
function added(wire: Wire, headers: Readonly<Record<string, string>>): Wire {
  return { ...wire, headers: { ...wire.headers, ...headers } };
}

const md5 = createHash("md5").update("data").digest("base64");
const put: Ask = { method: "PUT", path: `${files}/team-a/k`, body: "data" };

Deno.test("an unsigned Connection takes no signed header off a forwarded request", async () => {
  await withUpstream(async ({ send, host, keys }, received) => {
    for (
      const [name, value] of [
        ["content-md5", md5],
        ["x-amz-copy-source", "team-b/k"],
        ["if-none-match", "*"],
        ["if-match", '"e"'],
        ["x-amz-copy-source-if-match", '"e"'],
        ["x-amz-expected-bucket-owner", "123456789012"],
        ["x-amz-server-side-encryption", "aws:kms"],
        ["content-type", "text/csv"],
      ] as const
    ) {
      for (const sign of [signHeader, signQuery]) {
        const wire = sign(host, { ...put, headers: { [name]: value } }, keys.aws);
        for (const connection of [name, `close, ${name.toUpperCase()}`]) {
          const answer = await send(added(wire, { connection }));
          assert.equal(answer.status, 200, `${name}: ${answer.body}`);
          assert.equal(received.at(-1)?.headers.get(name), value, `${connection} ${sign.name}`);
        }
      }
    }
  });
});

Deno.test("headers that neither service defines are not sent on, signed or not", async () => {
  const strange = {
    "x-http-method-override": "DELETE",
    "x-http-method": "DELETE",
    "x-method-override": "DELETE",
    "x_amz_copy_source": "else/k",
    "x_amz_acl": "public-read",
    "x-original-url": "/else",
    "x-rewrite-url": "/else",
    "x-minio-source-etag": "e",
    "x-forwarded-prefix": "/else",
    "true-client-ip": "10.0.0.1",
    "content-range": "bytes 0-1/2",
    "via": "1.1 a",
  };
  await withUpstream(async ({ send, host, keys }, received) => {
    const job: Ask = { service: "bedrock", method: "GET", path: "/bedrock/model-invocation-jobs" };
    for (const ask of [put, { method: "GET", path: `${files}/team-a/k` }, job]) {
      const known = { "content-type": "text/csv" };
      for (
        const wire of [
          added(signHeader(host, { ...ask, headers: known }, keys.aws), strange),
          signHeader(host, { ...ask, headers: { ...known, ...strange } }, keys.aws),
        ]
      ) {
        const answer = await send(wire);
        assert.equal(answer.status, 200, answer.body);
        const { headers } = received.at(-1) ?? assert.fail();
        for (const name of Object.keys(strange)) assert.equal(headers.get(name), null, name);
        assert.equal(headers.get("content-type"), "text/csv");
      }
    }
  });
});

Deno.test("what S3 defines is sent on: conditions, checksums, metadata, encryption", async () => {
  const known = {
    "cache-control": "no-cache",
    "content-disposition": "inline",
    "content-language": "en",
    "content-md5": md5,
    "expires": "Wed, 21 Oct 2026 07:28:00 GMT",
    "if-none-match": "*",
    "if-range": '"e"',
    "x-amz-acl": "public-read",
    "x-amz-checksum-crc32": "AAAAAA==",
    "x-amz-if-match-size": "4",
    "x-amz-meta-a_b": "1",
    "x-amz-object-lock-mode": "GOVERNANCE",
    "x-amz-server-side-encryption-aws-kms-key-id": "alias/a",
    "x-amz-tagging": "a=b",
  };
  await withUpstream(async ({ ask, keys }, received) => {
    const answer = await ask({ ...put, headers: known }, keys.aws);
    assert.equal(answer.status, 200, answer.body);
    const { headers } = received.at(-1) ?? assert.fail();
    for (const [name, value] of Object.entries(known)) assert.equal(headers.get(name), value, name);
  });
});

Deno.test("a length that the body does not have gets nothing past limits.maxBodyBytes", async () => {
  const body = "x".repeat(200_000);
  const chunked = { "content-encoding": "aws-chunked", "x-amz-decoded-content-length": "1" };
  await withUpstream(async ({ ask, keys }, received) => {
    const rows: readonly Ask[] = [
      { ...put, body },
      { ...put, body, headers: { "x-amz-decoded-content-length": "1" } },
      { ...put, body, headers: chunked, payload: "UNSIGNED-PAYLOAD" },
      { ...put, body, headers: chunked, payload: "STREAMING-UNSIGNED-PAYLOAD-TRAILER" },
      { ...put, query: "partNumber=1&uploadId=u", body, headers: chunked },
    ];
    for (const [at, row] of rows.entries()) {
      const answer = await ask(row, keys.aws);
      assert.deepEqual([answer.status, answer.code], [400, "EntityTooLarge"], `${at}`);
    }
    const te = { "transfer-encoding": "chunked" };
    const unknown = await ask({
      ...put,
      body: "4\r\ndata\r\n0\r\n\r\n",
      headers: te,
      payload: "UNSIGNED-PAYLOAD",
    }, keys.aws);
    assert.equal(unknown.code, "MissingContentLength");
    assert.equal(received.length, 0);
    assert.equal((await ask(put, keys.aws)).status, 200);
  }, JSON.stringify({ limits: { maxBodyBytes: 100_000 } }));
});

Deno.test("a key of certain buckets does by no header what its refused operations would", async () => {
  await withUpstream(async ({ send, host, keys }, received) => {
    const refused: readonly (readonly [name: string, value: string])[] = [
      ["x-amz-acl", "public-read"],
      ["x-amz-acl", "PRIVATE"],
      ["x-amz-grant-read", 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'],
      ["x-amz-grant-full-control", "id=a"],
      ["x-amz-grant-write-acp", "id=a"],
      ["x-amz-object-lock-mode", "COMPLIANCE"],
      ["x-amz-object-lock-legal-hold", "ON"],
      ["x-amz-bypass-governance-retention", "true"],
      ["x-amz-object-ownership", "ObjectWriter"],
      ["x-amz-bucket-object-lock-enabled", "true"],
      ["x-amz-not-known-yet", "1"],
    ];
    const asks: readonly Ask[] = [
      put,
      { method: "PUT", path: `${files}/team-a` },
      { method: "POST", path: `${files}/team-a/k`, query: "uploads" },
      { method: "PUT", path: `${files}/team-a/k`, headers: { "x-amz-copy-source": "team-b/k" } },
    ];
    for (const ask of asks) {
      for (const [name, value] of refused) {
        const given = { ...ask.headers, [name]: value };
        const query = [ask.query ?? "", `${name}=${encodeURIComponent(value)}`]
          .filter((one) => one !== "").join("&");
        for (
          const wire of [
            signHeader(host, { ...ask, headers: given }, keys.limitedAws),
            signQuery(host, { ...ask, headers: given }, keys.limitedAws),
            signQuery(host, { ...ask, query }, keys.limitedAws),
            signHeader(host, { ...ask, query }, keys.limitedAws),
          ]
        ) {
          const answer = await send(wire);
          assert.equal(answer.code, "AccessDenied", `${name} ${wire.query}: ${answer.body}`);
        }
        assert.equal(received.length, 0, name);
        // Only limited keys are held to it.
        assert.equal(
          (await send(signHeader(host, { ...ask, headers: given }, keys.aws))).status,
          200,
        );
        received.length = 0;
      }
      for (const acl of ["private", "bucket-owner-full-control"]) {
        const headers = { ...ask.headers, "x-amz-acl": acl };
        const answer = await send(signHeader(host, { ...ask, headers }, keys.limitedAws));
        assert.equal(answer.status, 200, answer.body);
        received.length = 0;
      }
    }
  });
});

Deno.test("the body of a RestoreObject names no bucket that the key may not use", async () => {
  const restore = (inner: string) =>
    `<RestoreRequest xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Type>SELECT</Type>${inner}` +
    "</RestoreRequest>";
  const place = (inner: string) =>
    restore(`<OutputLocation><S3>${inner}<Prefix>p</Prefix></S3></OutputLocation>`);
  await withUpstream(async ({ ask, keys }, received) => {
    const to = { method: "POST", path: `${files}/team-a/k`, query: "restore" };
    const rows: readonly (readonly [body: string, code: string])[] = [
      [place("<BucketName>else-1</BucketName>"), "AccessDenied"],
      [place("<BucketName>\n else-1 </BucketName>"), "AccessDenied"],
      [place("<BucketName><![CDATA[else-1]]></BucketName>"), "AccessDenied"],
      [place("<BucketName>&#101;lse-1</BucketName>"), "AccessDenied"],
      [place("<BucketName>team-a-s3alias</BucketName>"), "AccessDenied"],
      [place(""), "AccessDenied"],
      [place("<BucketName>team-b</BucketName><CannedACL>public-read</CannedACL>"), "AccessDenied"],
      [place("<BucketName>team-b</BucketName><AccessControlList/>"), "AccessDenied"],
      ["<RestoreRequest><S3>", "MalformedXML"],
    ];
    for (const [body, code] of rows) {
      assert.equal((await ask({ ...to, body }, keys.limitedAws)).code, code, body);
    }
    assert.equal(received.length, 0);
    for (
      const body of [
        restore("<Days>1</Days>"),
        place("<BucketName>team-b</BucketName><CannedACL>private</CannedACL>"),
      ]
    ) {
      const answer = await ask({ ...to, body }, keys.limitedAws);
      assert.equal(answer.status, 200, answer.body);
      assert.equal(received.at(-1)?.body, body);
    }
  });
});

Deno.test("a job names no bucket that the key may not use, wherever the create holds it", async () => {
  await withUpstream(async ({ ask, keys }, received) => {
    const good = jobOf("team-a", "k", "job");
    const path = "/bedrock/model-invocation-job";
    const create = (body: unknown): Ask => ({
      service: "bedrock",
      method: "POST",
      path,
      body: JSON.stringify(body),
    });
    const input = { s3InputDataConfig: { s3Uri: "s3://team-a/k" } };
    for (
      const more of [
        { inputDataConfig: { ...input, other: { s3Uri: "s3://else-1/k" } } },
        { inputDataConfig: { ...input, others: [{ uri: "s3://else-1/k" }] } },
        { errorDataConfig: { location: "s3://else-1/" } },
        { inputDataConfig: { ...input, arn: "arn:aws:s3:::else-1/k" } },
        { deeper: { s3Uri: 1, place: { s3Uri: " S3://else-1" } } },
      ]
    ) {
      const answer = await ask(create({ ...good, ...more }), keys.limitedAws);
      assert.equal(answer.code, "AccessDeniedException", JSON.stringify(more));
    }
    assert.equal(received.length, 0);
    const tags = [{ key: "source", value: "s3://else-1/k" }];
    assert.equal((await ask(create({ ...good, tags }), keys.limitedAws)).status, 200);
  });
});
