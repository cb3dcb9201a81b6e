import assert from "node:assert/strict";
import { sandboxKeys } from "../../sandbox/context.ts";
import { type SandboxSettings, startSandbox } from "../../sandbox/server.ts";
import { runPython } from "../python.ts";

/** Runs a scenario of bedrock_client.py against a started sandbox and gives what it printed. */
async function boto3(
  scenario: string,
  settings: SandboxSettings,
): Promise<Record<string, unknown>> {
  const sandbox = await startSandbox(settings);
  try {
    const { code, stdout, stderr } = await runPython(
      new URL("./bedrock_client.py", import.meta.url),
      [scenario, sandbox.bedrockUrl, sandbox.s3Url],
      {
        AWS_ACCESS_KEY_ID: sandboxKeys.awsAccessKeyId,
        AWS_SECRET_ACCESS_KEY: sandboxKeys.awsSecretAccessKey,
      },
    );
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  } finally {
    await sandbox.close();
  }
}

Deno.test("a boto3 pipeline creates a job, polls it to its end and reads its results", async () => {
  const seen = await boto3("pipeline", { batchSeconds: 1 });
  const { arn, statuses, records, manifest, ...rest } = seen;
  assert.match(
    `${arn}`,
    /^arn:aws:bedrock:us-west-2:123456789012:model-invocation-job\/[a-z0-9]{12}$/,
  );
  const order = ["Submitted", "Validating", "Scheduled", "InProgress", "Completed"];
  // Which of them a client sees on its way depends on the machine.
  assert.deepEqual(statuses, order.filter((status) => (statuses as string[]).includes(status)));
  assert.deepEqual(rest, {
    counts: [3, 3, 3, 0],
    listed: [[true, "Completed", [3, 3, 3, 0]]],
    byId: true,
    tags: [{ key: "team", value: "red" }],
    tagsAfter: [{ key: "more", value: "" }],
    input: { s3InputDataConfig: { s3InputFormat: "JSONL", s3Uri: "s3://in-bkt/in/batch.jsonl" } },
    output: { s3OutputDataConfig: { s3Uri: "s3://out-bkt/results/" } },
    ended: true,
    stopped: ["ConflictException", 400],
    keys: ["batch.jsonl.out", "manifest.json.out"],
    types: ["application/octet-stream", "application/octet-stream"],
  });
  const answers = (records as Record<string, unknown>[]).map(({ recordId, modelOutput }) => [
    recordId,
    (modelOutput as { output: { message: { content: [{ text: string }] } } })
      .output.message.content[0].text,
  ]);
  assert.deepEqual(answers, [["r0", "0 + 0 = 0"], ["r1", "1 + 1 = 2"], ["r2", "2 + 2 = 4"]]);
  const { inputTokenCount, outputTokenCount, ...counts } = manifest as Record<string, number>;
  assert.ok((inputTokenCount ?? 0) > 0 && (outputTokenCount ?? 0) > 0);
  assert.deepEqual(counts, {
    totalRecordCount: 3,
    processedRecordCount: 3,
    successRecordCount: 3,
    errorRecordCount: 0,
  });
});

Deno.test("lines of Converse's form fail one by one where the type was left out", async () => {
  assert.deepEqual(await boto3("wrong_type", { batchSeconds: 0 }), {
    status: "Completed",
    counts: [3, 3, 0, 3],
    codes: [400, 400, 400],
  });
});

Deno.test("boto3 stops a job", async () => {
  const { first } = await boto3("stop", { batchSeconds: 600 });
  assert.equal(first, "Stopping");
});

Deno.test("a wrong secret, an unknown key, job or region is refused", async () => {
  assert.deepEqual(await boto3("refused", { batchSeconds: 600 }), {
    secret: ["InvalidSignatureException", 403],
    key: ["UnrecognizedClientException", 403],
    absent: ["ResourceNotFoundException", 404],
    elsewhere: ["ResourceNotFoundException", 404],
    malformed: ["ValidationException", 400],
  });
});
