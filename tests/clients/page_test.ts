import assert from "node:assert/strict";
import { type ClientError, ledgerOf, runClient, withGateway } from "./session.ts";

interface Job {
  readonly jobArn: string;
  readonly jobName: string;
  readonly modelId: string;
  readonly roleArn: string;
  readonly status: string;
  readonly submitTime: string;
  readonly lastModifiedTime: string;
  readonly endTime?: string;
  readonly jobExpirationTime?: string;
  readonly clientRequestToken: string;
  readonly inputDataConfig: unknown;
  readonly outputDataConfig: unknown;
  readonly totalRecordCount?: number;
  readonly processedRecordCount?: number;
  readonly successRecordCount?: number;
  readonly errorRecordCount?: number;
}

interface Seen {
  readonly default: { readonly objects: ClientError | null; readonly jobs: ClientError | null };
  readonly upload: { readonly quoted: boolean; readonly fileId: string };
  readonly list: readonly { Key: string; Size: number; ETag: string; LastModified: string }[];
  readonly head: {
    ContentLength: number;
    ContentType: string;
    ETag: string;
    LastModified: string;
  };
  readonly download: ClientError | null;
  readonly same?: boolean;
  readonly jobs: readonly Pick<Job, "jobArn" | "jobName" | "modelId">[];
  readonly status: Job;
  readonly stop: number;
  readonly stopped: string;
  readonly deleted: { readonly head: ClientError; readonly list: number };
  readonly workflow: {
    readonly arn: string;
    readonly statuses: readonly string[];
    readonly job: Job;
    readonly inList: boolean;
    readonly summary: Job;
    readonly asked: Job;
  };
  readonly model: string;
}

/** What differs between providers, and is meant to. */
const providers = [
  {
    provider: "bedrock",
    fileId: /^[0-9a-f]{32}$/,
    arn: /^arn:aws:bedrock:us-west-2:[0-9]{9,12}:model-invocation-job\/[a-z0-9]{12}$/,
    downloads: true,
  },
  {
    provider: "openai",
    fileId: /^file-[A-Za-z0-9]+$/,
    arn: /^arn:aws:bedrock:us-west-2:000000000000:model-invocation-job\/[a-z0-9]{12}$/,
    downloads: true,
  },
  {
    provider: "gemini",
    fileId: /^files\/[a-z0-9-]+$/,
    arn: /^arn:aws:bedrock:us-west-2:000000000000:model-invocation-job\/[a-z0-9]{12}$/,
    downloads: false,
  },
] as const;

for (const { provider, fileId, arn, downloads } of providers) {
  Deno.test(`the page's programs run on ${provider}`, () =>
    withGateway(async ({ url, sandbox }) => {
      const seen = await runClient<Seen>("page.py", [url, provider]);

      // The program's first two calls name no provider.
      assert.deepEqual(seen.default, { objects: null, jobs: null });
      const { requests } = await ledgerOf(sandbox);
      assert.deepEqual(requests.slice(0, 2).map((request) => request.provider), ["s3", "bedrock"]);

      assert.match(seen.upload.fileId, fileId);
      assert.equal(seen.upload.quoted, true);
      const etag = `"${seen.upload.fileId}"`;
      assert.deepEqual(seen.list.map(({ Key, ETag }) => [Key, ETag]), [
        ["batch-input/batch_input.jsonl", etag],
      ]);
      assert.equal(seen.head.ContentLength, seen.list[0]?.Size);
      assert.equal(seen.head.ContentType, "application/jsonl");
      assert.equal(seen.head.ETag, etag);
      // A list tells fractions of a second, a header does not.
      assert.equal(seen.head.LastModified.slice(0, 19), seen.list[0]?.LastModified.slice(0, 19));
      if (downloads) {
        assert.equal(seen.download, null);
        assert.equal(seen.same, true);
      } else {
        assert.ok(seen.download && seen.download.status >= 400 && seen.download.status < 500);
        assert.match(seen.download.message, /does not allow downloading uploaded files/);
      }

      assert.deepEqual(seen.jobs[0], {
        jobArn: seen.status.jobArn,
        jobName: "batch-of-the-page",
        modelId: seen.model,
      });
      assert.match(seen.status.jobArn, arn);
      assert.equal(seen.stop, 200);
      assert.equal(seen.stopped, "Stopped");
      assert.equal(seen.deleted.head.status, 404);
      assert.equal(seen.deleted.list, 0);

      const { workflow } = seen;
      const { job, summary, asked } = workflow;
      assert.match(workflow.arn, arn);
      assert.equal(workflow.statuses.at(-1), "Completed");
      assert.equal(workflow.inList, true);
      assert.equal(job.jobArn, workflow.arn);
      assert.equal(summary.jobArn, workflow.arn);
      for (const told of [job, summary]) {
        assert.equal(told.jobName, asked.jobName);
        assert.equal(told.modelId, asked.modelId);
        assert.equal(told.roleArn, asked.roleArn);
        assert.deepEqual(told.inputDataConfig, asked.inputDataConfig);
        assert.deepEqual(told.outputDataConfig, asked.outputDataConfig);
        assert.equal(told.totalRecordCount, 3);
        assert.equal(told.processedRecordCount, 3);
        assert.equal(told.successRecordCount, 3);
        assert.equal(told.errorRecordCount, 0);
        assert.ok(told.clientRequestToken);
        assert.ok(told.endTime !== undefined && told.endTime >= told.submitTime);
        assert.ok(told.lastModifiedTime >= told.submitTime);
        assert.ok(told.jobExpirationTime !== undefined);
        assert.ok(told.jobExpirationTime > told.submitTime);
      }
    }));
}
