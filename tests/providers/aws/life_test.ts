import assert from "node:assert/strict";
import { createAws } from "../../../providers/aws/mod.ts";
import type { ForwardRequest } from "../../../providers/provider.ts";
import { sandboxKeys } from "../../../sandbox/context.ts";
import { startSandbox } from "../../../sandbox/server.ts";
import { chunks, quiet, world } from "../harness.ts";
import { request } from "./wires.ts";

const keys: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: sandboxKeys.awsAccessKeyId,
  AWS_SECRET_ACCESS_KEY: sandboxKeys.awsSecretAccessKey,
};

Deno.test("simulated S3 and Bedrock accept what is forwarded, odd keys and all", async () => {
  await using outside = world();
  const sandbox = await startSandbox({ batchSeconds: 0 }, { now: outside.deps.now });
  const provider = createAws({
    name: "bedrock",
    kind: "bedrock",
    accounts: [],
    s3Endpoint: sandbox.s3Url,
    bedrockEndpoint: sandbox.bedrockUrl,
  }, { ...outside.deps, env: (name) => keys[name] });
  const send = async (given: Partial<ForwardRequest>) => {
    const response = await provider.forward(request(given), quiet());
    return { status: response.status, text: await response.text() };
  };

  assert.equal((await send({ method: "PUT", path: "/bucket" })).status, 200);
  for (const key of ["a%20b.jsonl", "x/../y", "it's", "%2E%2E/z", "back\\slash"]) {
    const put = await send({
      method: "PUT",
      path: `/bucket/${key}`,
      headers: new Headers({ "content-type": "text/plain", "x-amz-meta-k": "a  b" }),
      body: new TextEncoder().encode(key),
    });
    assert.equal(put.status, 200, put.text);
    const got = await send({ path: `/bucket/${key}` });
    assert.deepEqual([got.status, got.text], [200, key]);
  }

  const signature = "b".repeat(64);
  const signed = `5;chunk-signature=${signature}\r\nhello\r\n0;chunk-signature=${signature}\r\n` +
    "x-amz-checksum-crc32:NhCmhg==\r\n\r\n";
  const put = await send({
    method: "PUT",
    path: "/bucket/signed",
    headers: new Headers({
      "content-encoding": "aws-chunked",
      "content-length": String(signed.length),
      "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
      "x-amz-decoded-content-length": "5",
      "x-amz-trailer": "x-amz-checksum-crc32",
    }),
    body: chunks([signed]),
  });
  assert.equal(put.status, 200, put.text);
  assert.equal((await send({ path: "/bucket/signed" })).text, "hello");
  const list = await send({ path: "/bucket", query: "list-type=2&prefix=x%2F" });
  assert.match(list.text, /<Key>x\/\.\.\/y<\/Key>/);

  const missing = "/model-invocation-job/" +
    encodeURIComponent("arn:aws:bedrock:us-west-2:123456789012:model-invocation-job/abcdef123456");
  const get = await send({ service: "bedrock", path: missing });
  assert.equal(get.status, 404, get.text);
  const jobs = await send({
    service: "bedrock",
    path: "/model-invocation-jobs",
    query: "maxResults=5",
  });
  assert.equal(jobs.status, 200, jobs.text);
  await sandbox.close();
});
