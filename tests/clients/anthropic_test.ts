import assert from "node:assert/strict";
import Anthropic from "../sdks/anthropic.ts";
import { sandboxKeys } from "../../sandbox/context.ts";
import { type ClientError, runClient, withGateway } from "./session.ts";

interface Job {
  readonly jobArn: string;
  readonly jobName: string;
  readonly modelId: string;
  readonly roleArn: string;
  readonly status: string;
  readonly inputDataConfig: { readonly s3InputDataConfig: { readonly s3Uri: string } };
  readonly outputDataConfig: { readonly s3OutputDataConfig: { readonly s3Uri: string } };
  readonly totalRecordCount: number;
  readonly successRecordCount: number;
}

interface Seen {
  readonly put: ClientError;
  readonly lists: readonly number[];
  readonly head: ClientError;
  readonly get: ClientError;
  readonly getByFile: ClientError;
  readonly delete: ClientError | null;
  readonly create: ClientError;
  readonly listed: readonly Job[];
  readonly byBatch: Job;
  readonly byArn: Job;
  readonly byId: Job;
  readonly stopOfEnded: ClientError;
  readonly stopped: Job;
}

Deno.test("anthropic answers advice for files where nothing is kept, and its native batches as jobs", () =>
  withGateway(async ({ url, sandbox }) => {
    const anthropic = new Anthropic({
      apiKey: sandboxKeys.anthropic,
      baseURL: sandbox.anthropicUrl,
    });
    const create = (count: number) =>
      anthropic.messages.batches.create({
        requests: Array.from({ length: count }, (_, n) => ({
          custom_id: `request-${n}`,
          params: {
            model: "claude-haiku-4-5",
            max_tokens: 64,
            messages: [{ role: "user" as const, content: `What is ${n} + ${n}?` }],
          },
        })),
      });
    const running = await create(2);
    const ended = await create(3);
    // The one that is to be ended by itself is not stopped; the other is, early enough.
    await anthropic.messages.batches.cancel(ended.id);

    const seen = await runClient<Seen>("anthropic.py", [url, running.id, ended.id]);

    assert.equal(seen.put.status, 501);
    assert.equal(seen.put.code, "NotImplemented");
    assert.match(seen.put.message, /inline with its own SDK.*x-model-provider/);
    // Results and manifests of two batches, in the bucket that is named like the provider.
    assert.deepEqual(seen.lists, [0, 4, 0]);
    assert.equal(seen.head.status, 404);
    for (const error of [seen.get, seen.getByFile]) {
      assert.equal(error.status, 404);
      assert.equal(error.code, "NoSuchKey");
    }
    assert.equal(seen.delete, null);
    assert.equal(seen.create.status, 400);
    assert.equal(seen.create.code, "ValidationException");
    assert.match(seen.create.message, /anthropic/);
    assert.match(seen.create.message, /SDK|another provider/);

    assert.deepEqual(
      seen.listed.map((job) => job.jobName).sort(),
      [running.id, ended.id].sort(),
    );
    assert.deepEqual(seen.byArn, seen.byBatch);
    assert.deepEqual(seen.byId, seen.byBatch);
    const listed = seen.listed.find((job) => job.jobName === ended.id);
    assert.equal(listed?.jobArn, seen.byBatch.jobArn);
    assert.match(seen.byBatch.jobArn, /model-invocation-job\/[a-z0-9]{12}$/);
    assert.equal(seen.byBatch.totalRecordCount, 3);
    assert.equal(
      seen.byBatch.inputDataConfig.s3InputDataConfig.s3Uri,
      `s3://anthropic/${ended.id}`,
    );
    assert.equal(seen.byBatch.outputDataConfig.s3OutputDataConfig.s3Uri, "s3://anthropic/");
    assert.equal(seen.byBatch.roleArn, "arn:aws:iam::000000000000:role/batchway-native");
    assert.equal(seen.byBatch.modelId, "unknown");
    assert.equal(seen.stopOfEnded.status, 400);
    assert.equal(seen.stopOfEnded.code, "ConflictException");
    assert.equal(seen.stopped.status, "Stopped");
  }, { sandbox: { batchSeconds: 20 }, configuration: '{ "objects": { "keep": "never" } }' }));
