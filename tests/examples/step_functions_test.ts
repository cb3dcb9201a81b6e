/** The state machine: checked against the schema of Amazon States Language, and interpreted. */
import assert from "node:assert/strict";
import { sandboxKeys } from "../../sandbox/context.ts";
import { withKeys } from "../keys.ts";
import { StateMachine } from "../sdks/stepfunctions.ts";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "../sdks/client_s3.ts";
import { type Called, callFunction } from "./functions.ts";
import { configurationFor, example, ownS3 } from "./session.ts";

const definition = JSON.parse(
  await Deno.readTextFile(example("step_functions/state_machine.asl.json")),
);

/** Runs the state machine once, with the functions of its tasks; waits are short. */
async function execute(
  input: Record<string, string>,
  call: (name: string, input: unknown) => Promise<Called>,
): Promise<unknown> {
  const machine = new StateMachine(definition, {
    validationOptions: { checkArn: true, checkPaths: true },
  });
  const task = (name: string) => async (event: unknown) => {
    const { returned, errorType, errorMessage } = await call(name, event);
    if (returned) return returned;
    // By its name the states of an error are found.
    throw Object.assign(new Error(errorMessage), { name: errorType });
  };
  const overrides = {
    taskResourceLocalHandlers: { Create: task("create"), Poll: task("poll") },
    waitTimeOverrides: { Wait: 100 },
    retryIntervalOverrides: { Create: 1, Poll: 1 },
  };
  const context = { Execution: { Name: "run-1", Input: input } };
  return await machine.run(input, { overrides, context }).result;
}

Deno.test("the state machine creates a job, polls it, and ends with its counts", () =>
  withKeys(async (gateway, keys) => {
    const env = ownS3(gateway, await keys.add({ defaultProvider: "openai" }));
    const s3 = new S3Client({
      region: "us-west-2",
      endpoint: gateway.sandbox.s3Url,
      forcePathStyle: true,
      credentials: {
        accessKeyId: sandboxKeys.awsAccessKeyId,
        secretAccessKey: sandboxKeys.awsSecretAccessKey,
      },
    });
    try {
      await s3.send(new CreateBucketCommand({ Bucket: "real-data" }));
      const Body = await Deno.readTextFile(example("compare/questions.jsonl"));
      await s3.send(new PutObjectCommand({ Bucket: "real-data", Key: "questions.jsonl", Body }));
    } finally {
      s3.destroy();
    }
    const input = {
      model: "anthropic.claude-3-haiku-20240307-v1:0",
      input: "s3://real-data/questions.jsonl",
      output: "s3://real-data/output/",
    };
    const arns: unknown[] = [];
    let isFirst = true;
    const call = async (name: string, event: unknown) => {
      const called = await callFunction("step_functions/functions.py", name, event, env);
      if (name === "create") arns.push(called.returned?.["jobArn"]);
      if (name !== "create" || !isFirst) return called;
      isFirst = false;
      // The job was created, and the answer of the function was lost.
      return { errorType: "Lambda.SdkClientException", errorMessage: "The answer was lost." };
    };
    const result = await execute(input, call) as Record<string, unknown>;
    assert.equal(result["status"], "Completed");
    assert.deepEqual([result["records"], result["errors"]], [3, 0]);
    assert.equal(arns.length, 2);
    assert.equal(arns[0], arns[1]);
    assert.equal(result["jobArn"], arns[0]);
  }, { configuration: configurationFor("bedrock"), sandbox: { batchSeconds: 0.2 } }));

for (const status of ["Failed", "Stopped", "Expired", "PartiallyCompleted"]) {
  Deno.test(`the state machine fails with the job's message where the job is ${status}`, async () => {
    const seen = ["Submitted", "Validating", "Scheduled", "InProgress", "Stopping", status];
    const call = (name: string) =>
      Promise.resolve({
        returned: name === "create"
          ? { jobArn: "arn" }
          : { jobArn: "arn", status: seen.shift() ?? "", message: "Line 3 is not JSON." },
      });
    const input = { model: "m", input: "s3://real-data/a", output: "s3://real-data/b/" };
    await assert.rejects(execute(input, call), /Line 3 is not JSON\./);
    assert.deepEqual(seen, []);
  });
}
