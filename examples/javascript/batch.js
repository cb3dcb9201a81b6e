// One batch job with the AWS SDK for JavaScript, from the upload to the answers.
// Nothing in it knows of Batchway: endpoints, region and key come from the environment, see README.md.
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import {
  BedrockClient,
  CreateModelInvocationJobCommand,
  GetModelInvocationJobCommand,
} from "@aws-sdk/client-bedrock";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

const {
  BUCKET = "my-bucket",
  MODEL = "anthropic.claude-3-haiku-20240307-v1:0",
  ROLE_ARN = "arn:aws:iam::123456789012:role/BatchRole",
  POLL_SECONDS = "30",
} = process.env;
const ended = ["Completed", "PartiallyCompleted", "Failed", "Stopped", "Expired"];

// Away from AWS a bucket is named in the path.
const s3 = new S3Client({ forcePathStyle: true });
const bedrock = new BedrockClient();

const lines = [1, 2, 3].map((n) =>
  JSON.stringify({
    recordId: `question-${n}`,
    modelInput: {
      anthropic_version: "bedrock-2023-05-31",
      max_tokens: 100,
      messages: [{ role: "user", content: `What is ${n} + ${n}?` }],
    },
  })
);
await s3.send(
  new PutObjectCommand({ Bucket: BUCKET, Key: "input/questions.jsonl", Body: lines.join("\n") }),
);

const { jobArn } = await bedrock.send(
  new CreateModelInvocationJobCommand({
    jobName: "questions",
    modelId: MODEL,
    roleArn: ROLE_ARN,
    inputDataConfig: { s3InputDataConfig: { s3Uri: `s3://${BUCKET}/input/questions.jsonl` } },
    outputDataConfig: { s3OutputDataConfig: { s3Uri: `s3://${BUCKET}/output/` } },
  }),
);

const get = new GetModelInvocationJobCommand({ jobIdentifier: jobArn });
let job = await bedrock.send(get);
while (!ended.includes(job.status)) {
  await setTimeout(Number(POLL_SECONDS) * 1000);
  job = await bedrock.send(get);
}
if (job.status !== "Completed") throw new Error(`${job.status}: ${job.message}`);

const { Body } = await s3.send(
  new GetObjectCommand({
    Bucket: BUCKET,
    Key: `output/${jobArn.split("/").at(-1)}/questions.jsonl.out`,
  }),
);
for (const line of (await Body.transformToString()).trimEnd().split("\n")) {
  const { recordId, modelOutput, error } = JSON.parse(line);
  console.log(recordId, modelOutput?.content[0].text ?? error);
}
