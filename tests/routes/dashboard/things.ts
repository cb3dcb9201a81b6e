/** Objects and jobs that the dashboard's tests look at. */
import assert from "node:assert/strict";
import { files } from "../../attacks/operations.ts";
import type { Key } from "../../attacks/sign.ts";
import type { World } from "../../attacks/world.ts";

/** A line of an input. */
export const record = (id: string, text = "Hi") =>
  `{"custom_id":"${id}","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-4o-mini",` +
  `"messages":[{"role":"user","content":${JSON.stringify(text)}}]}}\n`;

/** Puts an object. */
export async function put(world: World, key: Key, path: string, body: string): Promise<void> {
  const answer = await world.ask({ method: "PUT", path: `${files}/${path}`, body }, key);
  assert.equal(answer.status, 200, answer.body);
}

/** Puts an input of one record and creates a job on it; the job's id. */
export async function create(
  world: World,
  key: Key,
  name: string,
  more: Readonly<Record<string, unknown>> = {},
  bucket = "data",
): Promise<string> {
  await put(world, key, `${bucket}/in/${name}.jsonl`, record("a"));
  const body = JSON.stringify({
    jobName: name,
    modelId: "gpt-4o-mini",
    roleArn: "arn:aws:iam::123456789012:role/r",
    inputDataConfig: { s3InputDataConfig: { s3Uri: `s3://${bucket}/in/${name}.jsonl` } },
    outputDataConfig: { s3OutputDataConfig: { s3Uri: `s3://${bucket}/out/` } },
    ...more,
  });
  const ask = {
    method: "POST",
    path: "/bedrock/model-invocation-job",
    service: "bedrock",
  } as const;
  const answer = await world.ask({ ...ask, body }, key);
  assert.equal(answer.status, 200, answer.body);
  return JSON.parse(answer.body).jobArn.split("/").at(-1);
}
