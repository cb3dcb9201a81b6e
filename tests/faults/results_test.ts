import assert from "node:assert/strict";
import { startTestGateway } from "../gateway.ts";
import { createClient, until } from "../jobs/wire.ts";
import { assertResults, type FinishedJob, readerOf } from "./results.ts";

const records = 3;
const input = Array.from({ length: records }, (_, n) =>
  JSON.stringify({
    recordId: `r-${n}`,
    modelInput: { messages: [{ role: "user", content: [{ text: "Hello" }] }] },
  })).join("\n");

Deno.test("results that are whole pass the check, and what is missing, doubled or miscounted does not", async () => {
  const gateway = await startTestGateway({ sandbox: { batchSeconds: 0.1 } });
  try {
    const client = createClient(gateway.url, "bedrock");
    const folder = "/bedrock/files/bucket-of-aws";
    await (await client.send(folder, { method: "PUT" })).body?.cancel();
    await client.upload("bucket-of-aws/in.jsonl", input);
    const arn = await client.create("bucket-of-aws/in.jsonl", {
      roleArn: "arn:aws:iam::123456789012:role/batch",
      modelId: "anthropic.claude-3-haiku-20240307-v1:0",
      outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://bucket-of-aws/out/" } },
    });
    const job: FinishedJob = {
      id: arn.slice(-12),
      bucket: "bucket-of-aws",
      prefix: "out/",
      inputName: "in.jsonl",
      records,
      processed: records,
    };
    const reader = readerOf(gateway.url, "bedrock");
    await assert.rejects(assertResults(reader, job));
    await until("the job completes", async () => (await client.get(arn)).status === "Completed");
    await assertResults(reader, job);

    await assert.rejects(
      assertResults(reader, { ...job, records: 4, processed: 4 }),
      /the records of/,
    );
    const name = `bucket-of-aws/out/${job.id}/in.jsonl.out`;
    const lines = (await (await client.send(`/bedrock/files/${name}`)).text()).trimEnd().split(
      "\n",
    );
    await client.upload(name, lines.slice(1).join("\n"));
    await assert.rejects(assertResults(reader, job), /the records of/);
    await client.upload(name, [...lines.slice(1), lines.at(-1)].join("\n"));
    await assert.rejects(assertResults(reader, job), /came twice/);
  } finally {
    await gateway.stop();
  }
});
