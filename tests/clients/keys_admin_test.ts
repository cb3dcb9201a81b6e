import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { startTestGateway } from "../gateway.ts";
import { runPython } from "../python.ts";

const script = fileURLToPath(new URL("keys_admin.py", import.meta.url));

Deno.test("a boto3 program with the first key issues keys, and changes and removes them", async () => {
  const [id, secret] = ["BATCHWAYADMIN001", "f0f1f2f3f4f5f6f7f8f9"];
  const { url, stop } = await startTestGateway({
    env: {
      BATCHWAY_ADMIN_KEY_ID: id,
      BATCHWAY_ADMIN_SECRET: secret,
      BATCHWAY_SECRET_KEY: new Uint8Array(32).fill(3).toBase64(),
    },
    configuration: '{ "defaultProvider": "openai" }',
  });
  try {
    const { code, stdout, stderr } = await runPython(script, [url, id, secret], {});
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? ""), {
      presigned: 200,
      read: "x",
      bedrock: [201, "über", false, "openai"],
      s3: [201, "über", true, "openai"],
      write: "ok",
      reader: "AccessDenied",
      "keys of a team": 403,
      bearer: 200,
      rename: "team b",
      disabled: "AccessDenied",
      listed: ["BATCHWAY_ADMIN_KEY_ID", "team b", "über"],
      removed: 200,
      gone: "InvalidAccessKeyId",
    });
  } finally {
    await stop();
  }
});
