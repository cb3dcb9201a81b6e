/** Amazon's SDK for JavaScript: over http it frames bodies as aws-chunked, which boto3 does not. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import {
  BedrockClient,
  CreateModelInvocationJobCommand,
  GetModelInvocationJobCommand,
  paginateListModelInvocationJobs,
  ValidationException,
} from "../sdks/client_bedrock.ts";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NotFound,
  PutObjectCommand,
  S3Client,
} from "../sdks/client_s3.ts";
import { until, withGateway } from "./session.ts";

const credentials = { accessKeyId: "any-key", secretAccessKey: "any-secret" };

const openaiLine = JSON.stringify({
  custom_id: "a",
  method: "POST",
  url: "/v1/chat/completions",
  body: { model: "gpt-4o-mini", messages: [{ role: "user", content: "Hi" }] },
});
const geminiLine = JSON.stringify({
  key: "a",
  request: { contents: [{ role: "user", parts: [{ text: "Hi" }] }] },
});
const bedrockLine = JSON.stringify({
  recordId: "RECORD00001",
  modelInput: { messages: [{ role: "user", content: [{ text: "Hi" }] }] },
});

for (
  const { provider, line, modelId, reads } of [
    {
      provider: "bedrock",
      line: bedrockLine,
      modelId: "anthropic.claude-3-haiku-20240307-v1:0",
      reads: true,
    },
    { provider: "openai", line: openaiLine, modelId: "gpt-4o-mini", reads: true },
    { provider: "gemini", line: geminiLine, modelId: "gemini-2.5-flash", reads: false },
  ] as const
) {
  Deno.test(`Amazon's JavaScript SDK runs a batch on ${provider}`, () =>
    withGateway(async ({ url }) => {
      const shared = { region: "us-west-2", credentials, maxAttempts: 1 };
      const s3 = new S3Client({
        ...shared,
        endpoint: `${url}/bedrock/files`,
        forcePathStyle: true,
        // S3 refuses the small chunks of a stream that the SDK does not gather.
        requestStreamBufferSize: 64 * 1024,
      });
      const bedrock = new BedrockClient({ ...shared, endpoint: `${url}/bedrock` });
      const names = { step: "build", name: "provider" } as const;
      s3.middlewareStack.add((next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers["x-model-provider"] =
          provider;
        return next(args);
      }, names);
      bedrock.middlewareStack.add((next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers["x-model-provider"] =
          provider;
        return next(args);
      }, names);
      try {
        const text = `${line}\n`;
        const object = { Bucket: "my-bucket", Key: "in/é ü+.jsonl" };
        const put = await s3.send(
          new PutObjectCommand({
            ...object,
            // A stream's digest is known at its end alone: it travels in a trailer.
            Body: Readable.from([text.slice(0, 9), text.slice(9)]),
            ContentLength: text.length,
            ChecksumAlgorithm: "SHA256",
            Metadata: { colour: "red" },
          }),
        );
        assert.equal(put.ChecksumSHA256, createHash("sha256").update(text).digest("base64"));
        const head = await s3.send(new HeadObjectCommand(object));
        assert.deepEqual([head.ContentLength, head.Metadata], [text.length, { colour: "red" }]);
        assert.equal(head.ContentEncoding, undefined);
        if (reads) {
          const got = await s3.send(new GetObjectCommand(object));
          assert.equal(await got.Body?.transformToString(), text);
        }
        const list = await s3.send(new ListObjectsV2Command({ Bucket: "my-bucket" }));
        assert.deepEqual(list.Contents?.map(({ Key, ETag }) => [Key, ETag]), [
          [object.Key, put.ETag],
        ]);

        const s3Uri = provider === "bedrock"
          ? "s3://my-bucket/in/plain.jsonl"
          : `s3://my-bucket/${object.Key}`;
        if (provider === "bedrock") {
          const plain = { Bucket: "my-bucket", Key: "in/plain.jsonl", Body: text };
          await s3.send(new PutObjectCommand(plain));
        }
        const { jobArn } = await bedrock.send(
          new CreateModelInvocationJobCommand({
            jobName: "from-javascript",
            modelId,
            roleArn: "arn:aws:iam::123456789012:role/BatchRole",
            inputDataConfig: { s3InputDataConfig: { s3Uri } },
            outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://my-bucket/out/" } },
          }),
        );
        const get = new GetModelInvocationJobCommand({ jobIdentifier: jobArn });
        await until(async () => (await bedrock.send(get)).status === "Completed");
        const job = await bedrock.send(get);
        assert.equal(job.inputDataConfig?.s3InputDataConfig?.s3Uri, s3Uri);
        assert.ok(job.submitTime instanceof Date && job.endTime instanceof Date);
        assert.ok(job.endTime >= job.submitTime);
        const arns: (string | undefined)[] = [];
        for await (const page of paginateListModelInvocationJobs({ client: bedrock }, {})) {
          arns.push(...page.invocationJobSummaries?.map((one) => one.jobArn) ?? []);
        }
        assert.deepEqual(arns, [jobArn]);

        await s3.send(new DeleteObjectCommand(object));
        await assert.rejects(s3.send(new HeadObjectCommand(object)), NotFound);
        const wrong = new CreateModelInvocationJobCommand({
          jobName: "not a name",
          modelId,
          roleArn: "arn:aws:iam::123456789012:role/BatchRole",
          inputDataConfig: { s3InputDataConfig: { s3Uri } },
          outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://my-bucket/out/" } },
        });
        await assert.rejects(bedrock.send(wrong), ValidationException);
      } finally {
        s3.destroy();
        bedrock.destroy();
      }
    }));
}
