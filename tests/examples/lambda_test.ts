import assert from "node:assert/strict";
import { BedrockClient, GetModelInvocationJobCommand } from "../sdks/client_bedrock.ts";
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from "../sdks/client_s3.ts";
import { sandboxKeys } from "../../sandbox/context.ts";
import { until } from "../clients/session.ts";
import { withKeys } from "../keys.ts";
import { callFunction, eventOf } from "./functions.ts";
import { configurationFor, example, ownS3 } from "./session.ts";

const model = "anthropic.claude-3-haiku-20240307-v1:0";
const region = "us-west-2";

Deno.test("the Lambda functions run a job for an upload once, and write its answers as CSV", () =>
  withKeys(async (gateway, keys) => {
    const { url, sandbox } = gateway;
    const key = await keys.add({
      tenant: "team-a",
      providers: ["openai", "bedrock"],
      defaultProvider: "openai",
    });
    const env = {
      ...ownS3(gateway, key),
      MODEL: model,
      OUTPUT: "s3://real-data/output/",
    };
    const s3 = new S3Client({
      region,
      endpoint: sandbox.s3Url,
      forcePathStyle: true,
      credentials: {
        accessKeyId: sandboxKeys.awsAccessKeyId,
        secretAccessKey: sandboxKeys.awsSecretAccessKey,
      },
    });
    const bedrock = new BedrockClient({ region, endpoint: `${url}/bedrock`, credentials: key });
    try {
      await s3.send(new CreateBucketCommand({ Bucket: "real-data" }));
      const Body = await Deno.readTextFile(example("compare/questions.jsonl"));
      const Key = "input/day=1/two words.jsonl";
      await s3.send(new PutObjectCommand({ Bucket: "real-data", Key, Body }));

      // S3 sends some events twice.
      const upload = await eventOf("lambda/upload_event.json");
      const calls = [
        await callFunction("lambda/on_upload.py", "handler", upload, env),
        await callFunction("lambda/on_upload.py", "handler", upload, env),
      ];
      const [first, again] = calls.map(({ returned }) => returned?.["jobArns"] as string[]);
      assert.equal(first?.length, 1, JSON.stringify(calls));
      assert.deepEqual(again, first);
      const [arn = ""] = first ?? [];
      const get = new GetModelInvocationJobCommand({ jobIdentifier: arn });
      await until(async () => (await bedrock.send(get)).status === "Completed");

      const event = await eventOf("lambda/job_event.json");
      const detail = { ...event["detail"] as Record<string, unknown>, batchJobArn: arn };
      const tell = (changed: Record<string, unknown>) =>
        callFunction(
          "lambda/on_job_event.py",
          "handler",
          { ...event, detail: { ...detail, ...changed } },
          env,
        );
      const written = `output/${arn.split("/").at(-1)}/answers.csv`;
      const { returned } = await tell({});
      assert.deepEqual(returned, { written: `s3://real-data/${written}` });
      const csv = await s3.send(new GetObjectCommand({ Bucket: "real-data", Key: written }));
      const rows = (await csv.Body?.transformToString() ?? "").trimEnd().split("\r\n");
      assert.equal(rows[0], "recordId,answer,error");
      assert.deepEqual(rows.slice(1).map((row) => row.split(",")[0]), ["capital", "sum", "colour"]);
      assert.match(rows[1] ?? "", /capital of France/);

      const failed = await tell({ status: "Failed", failureMessage: "A line is not JSON." });
      assert.equal(failed.errorMessage, "on-upload: A line is not JSON.");
      assert.deepEqual((await tell({ status: "InProgress" })).returned, { written: null });
    } finally {
      s3.destroy();
      bedrock.destroy();
    }
  }, { configuration: configurationFor("bedrock"), sandbox: { batchSeconds: 0.2 } }));
