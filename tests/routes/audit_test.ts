import assert from "node:assert/strict";
import { createAudit } from "../../routes/ops/audit.ts";
import { createRecentRefusals, type Refusal } from "../../routes/ops/refusals.ts";
import { newAudit } from "../../routes/context.ts";
import { clientAddress } from "../../routes/claims.ts";
import { startWorld, type World } from "../attacks/world.ts";

type Line = Readonly<Record<string, unknown>>;

/** The audit lines of a gateway, once the log has that many. */
async function lines(world: World, count: number): Promise<Line[]> {
  const found = () =>
    world.gateway.logged.map((line): Line => JSON.parse(line)).filter((line) =>
      "durationMs" in line
    );
  for (let n = 0; n < 200 && found().length < count; n++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return found();
}

Deno.test("a refused request is audited with what it claims and what it asks for", async () => {
  const world = await startWorld({ env: { BATCHWAY_TRUST_PROXY: "1" } });
  try {
    const wrong = { ...world.keys.owner, secretAccessKey: "wrong" };
    const headers = {
      "user-agent": `boto3/1 ${"x".repeat(400)}`,
      "x-forwarded-for": "198.51.100.1, 203.0.113.9",
    };
    const path = "/bedrock/files/claimed/a/b%20c.jsonl";
    await world.ask({ method: "PUT", path, body: "x", headers }, wrong);
    await world.ask({ method: "GET", path }, wrong, "link");
    const id = `bad${"y".repeat(300)}%1b[31m`;
    const query = `AWSAccessKeyId=${id}&Signature=x&Expires=${Math.floor(Date.now() / 1000) + 60}`;
    await world.send({ method: "GET", path, query, headers: { host: world.host }, body: "" });
    const job = "/bedrock/model-invocation-job";
    const bearer = { host: world.host, authorization: `Bearer ${wrong.bearerToken}x` };
    const create = { method: "POST", path: job, query: "", headers: bearer, body: "{}" };
    await world.send({ ...create, headers: { ...bearer, "content-length": "2" } });
    await world.send({
      method: "GET",
      path: "/metrics",
      query: "",
      headers: { host: world.host },
      body: "",
    });
    const named = (line: Line | undefined, ...names: string[]) => names.map((one) => line?.[one]);
    const [put, link, v2, token, metrics] = await lines(world, 5);
    const { accessKeyId } = wrong;
    const what = ["accessKeyId", "tenant", "operation", "bucket", "key", "status", "errorCode"];
    const key = "a/b c.jsonl";
    assert.deepEqual(named(put, ...what), [
      accessKeyId,
      null,
      "PutObject",
      "claimed",
      key,
      403,
      "SignatureDoesNotMatch",
    ]);
    assert.equal(put?.["clientAddress"], "203.0.113.9");
    assert.equal(String(put?.["userAgent"]).length, 256);
    assert.deepEqual(named(link, ...what), [
      accessKeyId,
      null,
      "GetObject",
      "claimed",
      key,
      403,
      "SignatureDoesNotMatch",
    ]);
    assert.equal(link?.["clientAddress"], "127.0.0.1");
    assert.deepEqual(named(v2, "status", "errorCode"), [403, "InvalidAccessKeyId"]);
    assert.match(String(v2?.["accessKeyId"]), /^bady{125}$/);
    assert.deepEqual(named(token, ...what), [
      null,
      null,
      "CreateModelInvocationJob",
      null,
      null,
      403,
      "UnrecognizedClientException",
    ]);
    assert.deepEqual(named(metrics, "accessKeyId", "operation", "status", "userAgent"), [
      null,
      null,
      403,
      null,
    ]);
  } finally {
    await world.stop();
  }
});

Deno.test("a request of a key that may not do it is audited under that key, with the error's code", async () => {
  const world = await startWorld();
  try {
    const key = await world.issue({ tenant: "t", buckets: ["mine"], readOnly: true });
    await world.ask({ method: "PUT", path: "/bedrock/files/mine/a.jsonl", body: "x" }, key);
    await world.ask({ method: "GET", path: "/bedrock/files/mine/none.jsonl" }, key);
    const [refused, missing] = await lines(world, 2);
    assert.deepEqual(
      [refused?.["accessKeyId"], refused?.["tenant"], refused?.["errorCode"]],
      [key.accessKeyId, "t", "AccessDenied"],
    );
    assert.equal(missing?.["status"], 404);
    assert.match(String(missing?.["errorCode"]), /^NoSuch(Key|Bucket)$/);
  } finally {
    await world.stop();
  }
});

Deno.test("an upstream's error is audited with its code, and is passed on as it is", async () => {
  const world = await startWorld();
  try {
    const key = world.keys.owner;
    const headers = { "x-model-provider": "bedrock" };
    const object = { method: "GET", path: "/bedrock/files/none-here/k", headers };
    const missing = await world.ask(object, key);
    assert.equal(missing.code, "NoSuchKey");
    const job =
      "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Amodel-invocation-job%2Fabcdefghijkl";
    const path = `/bedrock/model-invocation-job/${job}`;
    await world.ask({ method: "GET", path, headers, service: "bedrock" }, key);
    await world.ask({ ...object, method: "HEAD" }, key);
    const codes = (await lines(world, 3)).map((line) => [line["provider"], line["errorCode"]]);
    assert.deepEqual(codes, [
      ["bedrock", "NoSuchKey"],
      ["bedrock", "ResourceNotFoundException"],
      ["bedrock", null],
    ]);
  } finally {
    await world.stop();
  }
});

Deno.test("the client's address is the proxy's last word only where a proxy is trusted", () => {
  const headers = new Headers({ "x-forwarded-for": "1.1.1.1 , 2.2.2.2" });
  assert.equal(clientAddress(headers, "10.0.0.1", false), "10.0.0.1");
  assert.equal(clientAddress(headers, "10.0.0.1", true), "2.2.2.2");
  assert.equal(clientAddress(new Headers(), "10.0.0.1", true), "10.0.0.1");
  assert.equal(clientAddress(new Headers({ "x-forwarded-for": "1.1.1.1," }), "p", true), "p");
  const long = new Headers({ "x-forwarded-for": "9".repeat(500) });
  assert.equal(clientAddress(long, "p", true)?.length, 64);
});

Deno.test("the last thousand refusals of a day are kept, the newest first, and no other answers", () => {
  let now = 1_000;
  const refusals = createRecentRefusals(() => now);
  const log = { audit() {} };
  const audit = createAudit({ log, metrics: { count() {} }, refusals, now: () => now });
  const answered = (requestId: string, status: number, errorCode: string | null) =>
    audit({
      requestId,
      accessKeyId: "k",
      tenant: null,
      audit: { ...newAudit(), operation: "GetObject", errorCode },
      status,
      bytesOut: 0,
      durationMs: 1,
      clientAddress: "::1",
      userAgent: null,
    });
  const ids = () => refusals.recent().map(({ requestId }: Refusal) => requestId);
  answered("ok", 200, null);
  answered("missing", 404, "NoSuchKey");
  answered("denied", 403, "AccessDenied");
  answered("malformed", 400, "AuthorizationHeaderMalformed");
  answered("throttled", 429, "ThrottlingException");
  assert.deepEqual(ids(), ["throttled", "malformed", "denied"]);
  for (let n = 0; n < 1_002; n++) answered(`n${n}`, 403, "AccessDenied");
  assert.equal(ids().length, 1_000);
  assert.deepEqual([ids()[0], ids().at(-1)], ["n1001", "n2"]);
  now += 86_400_001;
  assert.deepEqual(ids(), []);
});
