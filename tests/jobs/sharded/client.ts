/** A client of jobs whose records are translated: plain requests, as boto3 sends them. */
import assert from "node:assert/strict";

/** A job as Get shows it. */
export interface SeenJob {
  readonly jobArn: string;
  readonly status: string;
  readonly message?: string;
  readonly totalRecordCount?: number;
  readonly successRecordCount?: number;
  readonly errorRecordCount?: number;
}

/** Requests of one client. */
export function createClient(url: string) {
  return { put, create, get, ended, list, stop, read, keys };

  async function put(provider: string, path: string, body: string): Promise<void> {
    const answer = await send("PUT", `/files/${path}`, provider, body);
    assert.equal(answer.status, 200, answer.text);
  }

  /** Creates a job; its id, or the error's message. */
  async function create(
    provider: string,
    modelId: string,
    input: string,
    tags: Readonly<Record<string, string>> = {},
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    const body = JSON.stringify({
      jobName: "translated",
      roleArn: "arn:aws:iam::123456789012:role/any",
      modelId,
      inputDataConfig: { s3InputDataConfig: { s3Uri: input } },
      outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://results/out/" } },
      tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
      ...more,
    });
    const answer = await send("POST", "/model-invocation-job", provider, body);
    const told = JSON.parse(answer.text);
    return answer.status === 200 ? String(told.jobArn).slice(-12) : String(told.message);
  }

  async function get(provider: string, id: string): Promise<SeenJob> {
    const answer = await send("GET", `/model-invocation-job/${id}`, provider);
    assert.equal(answer.status, 200, answer.text);
    return JSON.parse(answer.text);
  }

  /** The job once it is over. */
  async function ended(provider: string, id: string): Promise<SeenJob> {
    for (let tries = 0; tries < 600; tries++) {
      const job = await get(provider, id);
      if (
        !["Submitted", "Validating", "Scheduled", "InProgress", "Stopping"].includes(job.status)
      ) {
        return job;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("The job did not end");
  }

  /** The ids of the jobs that a list shows. */
  async function list(provider: string): Promise<string[]> {
    const { text } = await send("GET", "/model-invocation-jobs", provider);
    const { invocationJobSummaries: jobs } = JSON.parse(text);
    return jobs.map(({ jobArn }: SeenJob) => jobArn.slice(-12));
  }

  async function stop(provider: string, id: string): Promise<number> {
    return (await send("POST", `/model-invocation-job/${id}/stop`, provider)).status;
  }

  async function read(provider: string, path: string): Promise<string> {
    const answer = await send("GET", `/files/${path}`, provider);
    assert.equal(answer.status, 200, answer.text);
    return answer.text;
  }

  async function keys(provider: string, bucket: string): Promise<string[]> {
    const { text } = await send("GET", `/files/${bucket}?list-type=2`, provider);
    return [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = ""]) => key);
  }

  async function send(method: string, path: string, provider: string, body?: string) {
    const answer = await fetch(`${url}/bedrock${path}`, {
      method,
      headers: { "x-model-provider": provider, "content-type": "application/json" },
      ...(body !== undefined && { body }),
    });
    return { status: answer.status, text: await answer.text() };
  }
}

/** A record of Converse with a text. */
export function converse(id: string | undefined, text: string, more: object = {}): string {
  return JSON.stringify({
    ...(id !== undefined && { recordId: id }),
    modelInput: {
      messages: [{ role: "user", content: [{ text }] }],
      inferenceConfig: { maxTokens: 100 },
      ...more,
    },
  });
}
