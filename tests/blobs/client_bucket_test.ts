import assert from "node:assert/strict";
import { createClientBucket, partBytes } from "../../blobs/client_bucket.ts";
import { Failure } from "../../codecs/failure.ts";
import type { ForwardingProvider, ForwardRequest } from "../../providers/provider.ts";
import { s3Faults } from "../faults/s3_faults.ts";
import { startBucket } from "./bucket.ts";

const quiet = () => new AbortController().signal;

/** A provider that passes requests on and notes them. */
function noting(provider: ForwardingProvider) {
  const requests: ForwardRequest[] = [];
  const forward = (request: ForwardRequest, signal: AbortSignal) => {
    requests.push(request);
    return provider.forward(request, signal);
  };
  return { requests, provider: { name: provider.name, forward } };
}

function object(bytes: Uint8Array<ArrayBuffer>) {
  return {
    bytes: bytes.length,
    contentType: "application/octet-stream",
    open: () => Promise.resolve(new Blob([bytes]).stream()),
  };
}

function patterned(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = at * 31 % 251;
  return bytes;
}

async function fault(sandbox: { readonly url: string }, rule: object): Promise<void> {
  const rules = JSON.stringify([{ provider: "s3", ...rule }]);
  const answer = await fetch(`${sandbox.url}/control/faults`, { method: "POST", body: rules });
  assert.ok(answer.ok, await answer.text());
}

for (const length of [0, 5, partBytes + 7]) {
  Deno.test(`an object of ${length} bytes is written and read back as it is`, async () => {
    await using world = await startBucket();
    const bucket = createClientBucket({ provider: world.provider, bucket: "clients" });
    const bytes = patterned(length);
    await bucket.write("a b/ä.jsonl", object(bytes), quiet());
    const found = await bucket.open("a b/ä.jsonl", undefined, quiet());
    assert.ok(found);
    assert.deepEqual(new Uint8Array(await new Response(found.body).arrayBuffer()), bytes);
    assert.equal(found.bytes, length);
    assert.deepEqual(await Array.fromAsync(bucket.list("a b/", quiet())), ["a b/ä.jsonl"]);
  });
}

for (const length of [5, partBytes + 1]) {
  Deno.test(`the KMS key and the owner go with the writing of ${length} bytes`, async () => {
    await using world = await startBucket();
    const { provider, requests } = noting(world.provider);
    const bucket = createClientBucket({ provider, bucket: "clients", owner: "123456789012" });
    const kmsKey = "arn:aws:kms:us-west-2:123456789012:key/abc";
    await bucket.write("x", { ...object(patterned(length)), kmsKey }, quiet());
    for (const { headers } of requests) {
      assert.equal(headers.get("x-amz-expected-bucket-owner"), "123456789012");
    }
    const begun = requests.find(({ method, query }) =>
      length <= partBytes ? method === "PUT" : query === "uploads="
    );
    assert.equal(begun?.headers.get("x-amz-server-side-encryption"), "aws:kms");
    assert.equal(begun?.headers.get("x-amz-server-side-encryption-aws-kms-key-id"), kmsKey);
    const parts = requests.filter(({ method }) => method === "PUT");
    assert.ok(parts.every(({ headers }) => headers.has("content-md5")));
  });
}

/** What can go wrong with an upload in parts, and what is left of it then. */
const broken = {
  "a part is refused": { method: "PUT", query: "partNumber=2", status: 403 },
  "its end is refused": { method: "POST", query: "^uploadId", status: 503 },
};

for (const [what, rule] of Object.entries(broken)) {
  Deno.test(`an upload in parts leaves nothing where ${what}`, async () => {
    await using world = await startBucket();
    const { provider, requests } = noting(world.provider);
    const bucket = createClientBucket({ provider, bucket: "clients" });
    await fault(world.sandbox, { ...rule, times: 1 });
    await assert.rejects(bucket.write("x", object(patterned(partBytes + 9)), quiet()), Failure);
    assert.equal(requests.filter(({ method }) => method === "DELETE").length, 1);
    assert.equal(await bucket.open("x", undefined, quiet()), undefined);
    assert.equal(await uploadsOf(world.provider), 0);
  });
}

/** Each request of an upload in parts, and of a look at what was written. */
const uploadCalls = {
  "the list of uploads before it": { method: "GET", query: "^uploads=" },
  "its beginning": { method: "POST", query: "^uploads=" },
  "its first part": { method: "PUT", query: "partNumber=1&" },
  "its last part": { method: "PUT", query: "partNumber=2&" },
  "its end": { method: "POST", query: "^uploadId" },
  "the look at what was written": { method: "HEAD" },
};

/** Faults that are unlike each other to a writer. */
const uploadFaults = [
  "has its connection reset once it is carried out",
  "is answered 503",
  "is answered AccessDenied",
  "is answered 200 with an error",
];

for (const [what, call] of Object.entries(uploadCalls)) {
  Deno.test(`whatever goes wrong with ${what}, an upload in parts leaves nothing half-written, and the next one writes it`, async () => {
    await using world = await startBucket();
    const bucket = createClientBucket({ provider: world.provider, bucket: "clients" });
    const bytes = patterned(partBytes + 9);
    const rules = uploadFaults.map((name) => ({ ...s3Faults[name], ...call, times: 1 }));
    for (const rule of rules) await fault(world.sandbox, rule);
    for (const name of uploadFaults) {
      // A look is answered without a body: what it would hold says nothing.
      await bucket.write("x", object(bytes), quiet()).catch((error) =>
        assert.ok(error instanceof Failure, `${name}: ${error}`)
      );
      const found = await bucket.open("x", undefined, quiet());
      await found?.body.cancel();
      assert.ok(found === undefined || found.bytes === bytes.length, name);
    }
    await bucket.write("x", object(bytes), quiet());
    assert.equal(await uploadsOf(world.provider), 0);
    const written = await bucket.open("x", undefined, quiet());
    assert.deepEqual(new Uint8Array(await new Response(written?.body).arrayBuffer()), bytes);
  });
}

Deno.test("whatever goes wrong as an upload is given up, its first error is the one that counts, and nothing is left for long", async () => {
  await using world = await startBucket();
  const bucket = createClientBucket({ provider: world.provider, bucket: "clients" });
  const bytes = patterned(partBytes + 9);
  const writeAndFail = async (name: string, times: number) => {
    await fault(world.sandbox, { method: "PUT", query: "partNumber=2&", status: 507, times: 1 });
    await fault(world.sandbox, { ...s3Faults[name], method: "DELETE", query: "^uploadId", times });
    await assert.rejects(
      bucket.write("x", object(bytes), quiet()),
      (error) => error instanceof Failure && /answered 507/.test(error.message),
      name,
    );
    assert.equal(await bucket.open("x", undefined, quiet()), undefined, name);
  };
  for (const name of uploadFaults) {
    await writeAndFail(name, 2);
    assert.equal(await uploadsOf(world.provider), 0, name);
  }
  await writeAndFail("is answered AccessDenied", 3);
  assert.equal(await uploadsOf(world.provider), 1);
  await bucket.write("x", object(bytes), quiet());
  assert.equal(await uploadsOf(world.provider), 0);
});

async function uploadsOf(provider: ForwardingProvider): Promise<number> {
  const answer = await provider.forward({
    service: "s3",
    method: "GET",
    path: "/clients",
    query: "uploads=",
    headers: new Headers(),
    body: null,
    region: undefined,
  }, quiet());
  return [...(await answer.text()).matchAll(/<UploadId>/g)].length;
}

Deno.test("an upload that a dead process left is given up with the next writing of its key", async () => {
  await using world = await startBucket();
  const bucket = createClientBucket({ provider: world.provider, bucket: "clients" });
  const begin = (key: string) =>
    world.provider.forward({
      service: "s3",
      method: "POST",
      path: `/clients/${key}`,
      query: "uploads=",
      headers: new Headers({ "content-length": "0" }),
      body: null,
      region: undefined,
    }, quiet()).then((answer) => answer.text());
  await begin("x");
  await begin("xy");
  assert.equal(await uploadsOf(world.provider), 2);
  await bucket.write("x", object(patterned(partBytes + 1)), quiet());
  assert.equal(await uploadsOf(world.provider), 1, "that of another key is not ours to give up");
});

const refusals: Readonly<Record<number, string>> = {
  403: "denied",
  400: "denied",
  412: "precondition",
  429: "unavailable",
  500: "unavailable",
  503: "unavailable",
};

for (const [status, kind] of Object.entries(refusals)) {
  Deno.test(`an answer of ${status} is ${kind}, and names the bucket and no key`, async () => {
    await using world = await startBucket();
    const bucket = createClientBucket({ provider: world.provider, bucket: "clients" });
    await fault(world.sandbox, { method: "GET", status: Number(status), times: 1 });
    await assert.rejects(bucket.open("secret-key", "etag", quiet()), (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.kind, kind);
      assert.match(error.message, /bucket clients/);
      assert.doesNotMatch(error.message, /secret-key/);
      return true;
    });
  });
}

const silent = {
  "a read that is not answered": { method: "GET", latencySeconds: 3_600 },
  "a read whose body stands still": { method: "GET", pauseBodySeconds: 3_600 },
  "a write that is not answered": { method: "PUT", latencySeconds: 3_600 },
  "a look that is not answered": { method: "HEAD", latencySeconds: 3_600 },
};

for (const [what, rule] of Object.entries(silent)) {
  Deno.test(`${what} fails in time`, async () => {
    await using world = await startBucket();
    const { provider } = world;
    const place = { provider, bucket: "clients" };
    await createClientBucket(place).write("x", object(patterned(5)), quiet());
    const bucket = createClientBucket({ ...place, patienceMilliseconds: 100 });
    await fault(world.sandbox, { ...rule, times: 1 });
    const ask = async () => {
      if (rule.method !== "GET") return await bucket.write("x", object(patterned(5)), quiet());
      const found = await bucket.open("x", undefined, quiet());
      await new Response(found?.body).arrayBuffer();
    };
    await assert.rejects(
      ask(),
      (error) => error instanceof Failure && error.kind === "unavailable",
    );
  });
}
