import assert from "node:assert/strict";
import { join } from "node:path";
import { sandboxKeys } from "../../sandbox/context.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { runPython } from "../python.ts";
import { element, startAws } from "./aws.ts";

/** Runs a scenario of s3_client.py against a started sandbox and gives what it printed. */
async function boto3(scenario: string): Promise<Record<string, unknown>> {
  const folder = await Deno.makeTempDir();
  const sandbox = await startSandbox({ folder: join(folder, "store") });
  try {
    const { code, stdout, stderr } = await runPython(
      new URL("./s3_client.py", import.meta.url),
      [scenario, sandbox.s3Url, folder],
      {
        AWS_ACCESS_KEY_ID: sandboxKeys.awsAccessKeyId,
        AWS_SECRET_ACCESS_KEY: sandboxKeys.awsSecretAccessKey,
      },
    );
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  } finally {
    await sandbox.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("boto3 puts, reads, lists, copies and deletes objects", async () => {
  const { etag, md5, checksum, crc32, ...seen } = await boto3("objects");
  assert.equal(etag, `"${md5}"`);
  assert.equal(checksum, crc32);
  assert.deepEqual(seen, {
    head: [17, etag, "application/jsonl", { team: "Red" }],
    same: true,
    cache: "no-cache",
    part: "recordId",
    range: "bytes 2-9/17",
    type: "text/x",
    copied: etag,
    copyMetadata: { team: "Red" },
    keys: ["copy", "in/a b+ü.jsonl"],
    v1: ["in/a b+ü.jsonl"],
    prefixes: ["in/"],
    gone: ["NoSuchKey", 404],
    headGone: ["404", 404],
    deleted: ["many/0", "many/1", "many/2", "many/3"],
    left: ["copy"],
  });
});

Deno.test("boto3 uploads a file in parts and downloads it in ranges", async () => {
  const { etag, expected, ...seen } = await boto3("transfer");
  assert.equal(etag, expected);
  assert.deepEqual(seen, {
    bytes: 12 * 1024 * 1024,
    same: true,
    metadata: { a: "b" },
    second: [5 * 1024 * 1024, 3],
    uploads: ["other"],
    parts: [[3, 1, true]],
    copied: true,
    aborted: ["NoSuchUpload", 404],
  });
});

Deno.test("URLs that boto3 presigned with either signature are served, changed ones are not", async () => {
  const seen = await boto3("presigned");
  const same = { get: [200, "hello"], override: [200, "hello"], put: "new", tampered: [403, ""] };
  assert.deepEqual(seen, { v2: { scheme: true, ...same }, v4: { scheme: false, ...same } });
});

Deno.test("buckets are created, implied, shown and deleted", async () => {
  assert.deepEqual(await boto3("buckets"), {
    names: ["implied", "made"],
    location: "eu-central-1",
    implied: "us-west-2",
    full: ["BucketNotEmpty", 409],
    after: ["implied"],
    acl: ["NotImplemented", 501],
  });
});

Deno.test("a wrong secret or an unknown key is refused and stores nothing", async () => {
  assert.deepEqual(await boto3("refused"), {
    secret: ["SignatureDoesNotMatch", 403],
    put: ["SignatureDoesNotMatch", 403],
    key: ["InvalidAccessKeyId", 403],
    kept: ["404", 404],
  });
});

Deno.test("a request that was signed more than 15 minutes ago or ahead is refused", async () => {
  const aws = await startAws();
  for (const [skewSeconds, status] of [[-899, 200], [899, 200], [-901, 403], [901, 403]] as const) {
    const response = await aws.s3("GET", "/bkt", { skewSeconds });
    const code = element(await response.text(), "Code");
    assert.deepEqual([response.status, code === "RequestTimeTooSkewed"], [status, status === 403]);
  }
});

Deno.test("a header that was added to a request after it was signed is refused", async () => {
  const aws = await startAws();
  const response = await aws.s3("PUT", "/bkt/k", { unsigned: { "x-amz-meta-a": "1" } });
  assert.equal(element(await response.text(), "Code"), "SignatureDoesNotMatch");
});

Deno.test("a strict sandbox knows only buckets that were created", async () => {
  const aws = await startAws({ strict: true });
  for (const [method, path] of [["PUT", "/bkt/k"], ["GET", "/bkt"], ["HEAD", "/bkt"]] as const) {
    const response = await aws.s3(method, path);
    assert.equal(response.status, 404, `${method} ${path}`);
    await response.body?.cancel();
  }
  assert.equal((await aws.s3("PUT", "/bkt")).status, 200);
  assert.equal((await aws.s3("PUT", "/bkt/k")).status, 200);
  assert.equal((await aws.s3("HEAD", "/bkt/k")).headers.get("content-length"), "0");
});

Deno.test("what S3 would refuse or the simulation lacks is answered as XML", async () => {
  const aws = await startAws();
  const cases = [
    ["GET", "/A_B/k", "", 400, "InvalidBucketName"],
    ["PUT", `/bkt/${"k".repeat(1025)}`, "", 400, "KeyTooLongError"],
    ["GET", "/bkt", "policy=", 501, "NotImplemented"],
    ["GET", "/bkt/k", "tagging=", 501, "NotImplemented"],
    ["PATCH", "/bkt/k", "", 405, "MethodNotAllowed"],
    ["GET", "/bkt/%zz", "", 400, "InvalidURI"],
    ["POST", "/bkt", "delete=", 400, "InvalidRequest"],
    ["PUT", "/bkt/k", "partNumber=0&uploadId=x", 400, "InvalidArgument"],
  ] as const;
  for (const [method, path, query, status, code] of cases) {
    const response = await aws.s3(method, path, { query });
    const xml = await response.text();
    assert.deepEqual([response.status, element(xml, "Code")], [status, code], `${method} ${path}`);
    assert.equal(element(xml, "RequestId"), response.headers.get("x-amz-request-id"));
  }
  const metadata = { "x-amz-meta-a": "x".repeat(2048) };
  const large = await aws.s3("PUT", "/bkt/k", { headers: metadata });
  assert.equal(element(await large.text(), "Code"), "MetadataTooLarge");
});
