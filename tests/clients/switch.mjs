// A program of the AWS SDK for JavaScript that nothing leads to a gateway but its environment.
import { createRequire } from "node:module";
import process from "node:process";
import { setTimeout } from "node:timers/promises";

const require = createRequire(process.env.PACKAGES);
const { BedrockClient, ...jobs } = require("@aws-sdk/client-bedrock");
const { S3Client, ...files } = require("@aws-sdk/client-s3");
const s3 = new S3Client();
const bedrock = new BedrockClient();

const print = (seen) => process.stdout.write(`${JSON.stringify(seen)}\n`);

/** Where the first request of a client goes, which is then not sent. */
async function hostOf(client, command) {
  let found;
  const stop = () => (args) => {
    const { protocol, hostname, port, path } = args.request;
    found = `${protocol}//${hostname}${port ? `:${port}` : ""}${path.replace(/\/[^/]*$/, "")}`;
    throw new Error("seen");
  };
  client.middlewareStack.add(stop, { step: "finalizeRequest", priority: "low" });
  await client.send(command).catch((error) => {
    if (found === undefined) throw error;
  });
  return found;
}

async function runJob() {
  const modelInput = {
    anthropic_version: "bedrock-2023-05-31",
    max_tokens: 100,
    messages: [{ role: "user", content: "What is 2 + 2?" }],
  };
  const Body = JSON.stringify({ recordId: "a", modelInput });
  await s3.send(new files.PutObjectCommand({ Bucket: "my-bucket", Key: "in.jsonl", Body }));
  const { jobArn } = await bedrock.send(
    new jobs.CreateModelInvocationJobCommand({
      jobName: "switched",
      modelId: "anthropic.claude-3-haiku-20240307-v1:0",
      roleArn: "arn:aws:iam::123456789012:role/BatchRole",
      inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://my-bucket/in.jsonl" } },
      outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://my-bucket/out/" } },
    }),
  );
  const get = new jobs.GetModelInvocationJobCommand({ jobIdentifier: jobArn });
  let { status } = await bedrock.send(get);
  while (["Submitted", "Validating", "Scheduled", "InProgress"].includes(status)) {
    await setTimeout(100);
    ({ status } = await bedrock.send(get));
  }
  const list = await bedrock.send(new jobs.ListModelInvocationJobsCommand({}));
  const Key = `out/${jobArn.split("/").at(-1)}/in.jsonl.out`;
  const object = await s3.send(new files.GetObjectCommand({ Bucket: "my-bucket", Key }));
  print({
    status,
    jobs: list.invocationJobSummaries.map((one) => one.jobArn === jobArn),
    results: await object.Body.transformToString(),
  });
}

if (process.env.ONLY === "endpoints") {
  print({
    s3: await hostOf(s3, new files.HeadObjectCommand({ Bucket: "my-bucket", Key: "k" })),
    bedrock: await hostOf(bedrock, new jobs.ListModelInvocationJobsCommand({})),
  });
} else {
  await runJob();
}
