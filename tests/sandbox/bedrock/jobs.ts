/** Jobs as the tests of the simulated Bedrock create them. */
import assert from "node:assert/strict";
import type { Aws } from "../aws.ts";

/** A model that takes InvokeModel in Claude's form. */
export const claude = "anthropic.claude-3-haiku-20240307-v1:0";
/** A record of Converse's form. */
export const converseLine = (id: string, text = "hi") =>
  JSON.stringify({
    recordId: id,
    modelInput: { messages: [{ role: "user", content: [{ text }] }] },
  });

/** A create request; what is undefined is left out. */
export function request(more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    jobName: "job",
    modelId: claude,
    roleArn: "arn:aws:iam::123456789012:role/Batch",
    inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://bkt/in.jsonl" } },
    outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://bkt/out" } },
    modelInvocationType: "Converse",
    ...more,
  };
}

/** Creates a job and gives its id. */
export async function create(aws: Aws, more: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await aws.bedrock("POST", "/model-invocation-job", {
    json: request(more),
  });
  assert.equal(status, 200, JSON.stringify(body));
  return `${body.jobArn}`.slice(-12);
}

/** Tells of a job. */
export async function get(aws: Aws, id: string): Promise<Record<string, unknown>> {
  return (await aws.bedrock("GET", `/model-invocation-job/${id}`)).body;
}

/** The lines of a job's results. */
export async function results(aws: Aws, id: string, name = "in.jsonl.out"): Promise<string[]> {
  const response = await aws.s3("GET", `/bkt/out/${id}/${name}`);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return text.split("\n").filter((line) => line !== "");
}
