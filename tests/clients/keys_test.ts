import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { withKeys } from "../keys.ts";
import { runPython } from "../python.ts";

const script = fileURLToPath(new URL("keys.py", import.meta.url));

Deno.test("boto3 works with an issued key, and without one, or with another's, not at all", () =>
  withKeys(async ({ url, logged }, keys) => {
    const alice = await keys.add({
      tenant: "alice",
      providers: ["openai"],
      defaultProvider: "openai",
    });
    const bob = await keys.add({ tenant: "bob", providers: ["openai"], defaultProvider: "openai" });
    const reader = await keys.add({
      tenant: "alice",
      providers: ["openai"],
      defaultProvider: "openai",
      buckets: ["team-a-*"],
      readOnly: true,
    });
    const args = [url, JSON.stringify({ alice, bob, reader })];
    const { code, stdout, stderr } = await runPython(script, args, {});
    assert.equal(code, 0, stderr);
    const { etag, ...seen } = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
    assert.match(etag, /^"file-[A-Za-z0-9]+"$/);
    assert.deepEqual(seen, {
      readBack: true,
      listed: ["jobs/über all+.jsonl"],
      job: true,
      bearer: 200,
      wrongBearer: 403,
      "links s3": [200, true, 403],
      "links s3v4": [200, true, 403],
      others: {
        list: [],
        buckets: [],
        key: "NoSuchKey",
        "file id": "NoSuchKey",
        "if-match": "404",
        copy: "NoSuchKey",
        input: "ValidationException",
        arn: "ResourceNotFoundException",
        stop: "ResourceNotFoundException",
        jobs: 0,
        nothing: "NoSuchKey",
      },
      apart: true,
      reader: {
        get: "ok",
        put: "AccessDenied",
        delete: "AccessDenied",
        upload: "AccessDenied",
        "other bucket": "AccessDenied",
        create: "AccessDeniedException",
        job: "ok",
      },
      refused: {
        unknown: "InvalidAccessKeyId",
        "wrong secret": "SignatureDoesNotMatch",
        "unknown at Bedrock": "UnrecognizedClientException",
        "wrong secret at Bedrock": "InvalidSignatureException",
        token: "InvalidToken",
        nobody: 403,
        health: 200,
        ready: 200,
      },
    });
    const secrets = [alice, bob, reader].flatMap((one) => [one.secretAccessKey, one.bearerToken]);
    const log = logged.join("\n");
    for (const secret of secrets) assert.ok(!log.includes(secret));
  }, {
    before: async (keys) => {
      // Whoever starts with a key is closed from the first request on.
      await keys.alter("disable", (await keys.add({ tenant: "first" })).accessKeyId);
    },
  }));

Deno.test("each request leaves one line that says who did what, and how much", () =>
  withKeys(async ({ url, logged }, keys) => {
    const { accessKeyId, bearerToken } = await keys.add({
      tenant: "alice",
      defaultProvider: "openai",
    });
    const authorization = `Bearer ${bearerToken}`;
    const list = `${url}/bedrock/model-invocation-jobs?maxResults=5`;
    const body = await (await fetch(list, { headers: { authorization } })).text();
    await (await fetch(`${url}/bedrock/files/b01/k`, { method: "PUT", body: "12345" })).text();
    const lines = await audited(logged, 2);
    const { time, requestId, durationMs, ...facts } = lines[0] ?? {};
    assert.match(`${time} ${requestId}`, /^20\d\d-\d\d-\d\dT[\d:.]+Z [0-9a-f-]{36}$/);
    assert.equal(typeof durationMs, "number");
    assert.deepEqual(facts, {
      accessKeyId,
      tenant: "alice",
      level: "info",
      message: "ListModelInvocationJobs",
      operation: "ListModelInvocationJobs",
      bucket: null,
      key: null,
      job: null,
      provider: "openai",
      account: null,
      status: 200,
      bytesIn: 0,
      bytesOut: new TextEncoder().encode(body).length,
      clientAddress: "127.0.0.1",
      userAgent: `Deno/${Deno.version.deno}`,
      errorCode: null,
    });
    const refused = lines[1] ?? {};
    assert.deepEqual([refused["accessKeyId"], refused["status"], refused["bytesIn"]], [
      null,
      403,
      0,
    ]);
  }, { before: async (keys) => void await keys.add({ tenant: "first" }) }));

/** The audit's lines, once there are so many. */
async function audited(
  logged: readonly string[],
  count: number,
): Promise<Record<string, unknown>[]> {
  for (let n = 0; n < 200; n++) {
    const lines = logged.map((line) => JSON.parse(line)).filter((line) => "requestId" in line);
    if (lines.length >= count) return lines;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`There are fewer than ${count} lines of the audit:\n${logged.join("\n")}`);
}
