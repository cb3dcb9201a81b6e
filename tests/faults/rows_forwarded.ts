/** The calls to a provider that speaks S3 and Bedrock itself: requests go on as they came. */
import assert from "node:assert/strict";
import { openaiLines } from "../jobs/wire.ts";
import type { FaultName, Outcome } from "./kinds_of_fault.ts";
import { jobOf, type Place, type Row } from "./place.ts";

type Outcomes = Partial<Record<FaultName, Outcome>>;

/** What AWS refuses itself is passed on in its own words. */
const refusals: Outcomes = {
  "is answered 408": "as AWS says",
  "is answered 409": "as AWS says",
  "is answered 429": "as AWS says",
  "is answered 500": "as AWS says",
  "is answered 503": "as AWS says",
  "is answered 529": "as AWS says",
};

/** S3 answers these without a body. */
const bodiless: Outcomes = {
  ...refusals,
  "is answered a body that is cut": "ok",
  "is answered a body that stands still": "ok",
};

/** An object's bytes, which nobody but the client can find too slow. */
const streamed: Outcomes = {
  ...refusals,
  "is answered a body that is cut": "broken body",
  "is answered a body that stands still": "nothing",
};

/** S3 may take minutes over a body's last byte: only the client can say that it is too long. */
const unlimited: Outcomes = {
  ...bodiless,
  "is met by silence": "nothing",
  "is met by silence once it is carried out": "nothing",
};

const put = ({ client, key }: Place, _?: string, signal?: AbortSignal) =>
  client.put(`bucket-of-aws/${key}`, openaiLines, signal);

async function putObject(at: Place): Promise<string> {
  const answer = await put(at);
  assert.equal(answer.status, 200, await answer.text());
  return answer.headers.get("etag") ?? "";
}

const objectOf = (method: string): Row["send"] => ({ client, key }, _, signal) =>
  client.send(`/bedrock/files/bucket-of-aws/${key}`, { method, signal });

/** AWS creates no bucket by itself. */
export async function makeBucket({ client }: Pick<Place, "client">): Promise<void> {
  const made = await client.send("/bedrock/files/bucket-of-aws", { method: "PUT" });
  assert.equal(made.status, 200, await made.text());
}

const create: Row["send"] = ({ client, key }, _, signal) =>
  client.createRaw(`bucket-of-aws/${key}`, {
    ...jobOf(key),
    roleArn: "arn:aws:iam::123456789012:role/batch",
    modelId: "anthropic.claude-3-haiku-20240307-v1:0",
    outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://bucket-of-aws/out/" } },
  }, signal);

async function startJob(at: Place): Promise<string> {
  await putObject(at);
  const answer = await create(at, "", AbortSignal.timeout(60_000));
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text).jobArn;
}

const pathOf = (arn: string) => `/bedrock/model-invocation-job/${encodeURIComponent(arn)}`;

const s3 = { kind: "bedrock", api: "s3", speaks: "s3" } as const;
const bedrock = {
  kind: "bedrock",
  api: "bedrock",
  speaks: "bedrock",
  outcomes: refusals,
} as const;

/** The rows. */
export const forwardedRows: readonly Row[] = [
  {
    ...s3,
    name: "S3 put",
    call: { method: "PUT", path: "/bucket-of-aws/" },
    send: put,
    outcomes: unlimited,
    async check({ client, key }) {
      const stored = await client.send(`/bedrock/files/bucket-of-aws/${key}`);
      assert.equal(await stored.text(), openaiLines);
    },
    leaves: [1, 0],
  },
  {
    ...s3,
    name: "S3 get",
    call: { method: "GET", path: "/bucket-of-aws/" },
    prepare: putObject,
    send: objectOf("GET"),
    outcomes: streamed,
    check: (_, _subject, answer) => Promise.resolve(assert.equal(answer, openaiLines)),
    leaves: [1, 0],
  },
  {
    ...s3,
    name: "S3 head",
    call: { method: "HEAD", path: "/bucket-of-aws/" },
    prepare: putObject,
    send: objectOf("HEAD"),
    outcomes: bodiless,
    leaves: [1, 0],
  },
  {
    ...s3,
    name: "S3 delete",
    call: { method: "DELETE", path: "/bucket-of-aws/" },
    prepare: putObject,
    send: objectOf("DELETE"),
    outcomes: bodiless,
    leaves: [0, 0],
  },
  {
    ...bedrock,
    name: "job create",
    call: { method: "POST", path: "/model-invocation-job$" },
    prepare: putObject,
    send: create,
    async check({ client, key }, _, answer) {
      const jobs = await client.list(`?nameContains=${key}`);
      assert.deepEqual(jobs.map(({ jobArn }) => jobArn), [JSON.parse(answer).jobArn]);
    },
    leaves: [1, 1],
  },
  {
    ...bedrock,
    name: "job get",
    call: { method: "GET", path: "/model-invocation-job/" },
    prepare: startJob,
    send: ({ client }, arn, signal) => client.send(pathOf(arn), { signal }),
    leaves: [1, 1],
  },
  {
    ...bedrock,
    name: "job list",
    call: { method: "GET", path: "/model-invocation-jobs$" },
    prepare: startJob,
    send: ({ client }, _, signal) => client.send("/bedrock/model-invocation-jobs", { signal }),
    leaves: [1, 1],
  },
  {
    ...bedrock,
    name: "job stop",
    call: { method: "POST", path: ".*/stop$" },
    prepare: startJob,
    send: ({ client }, arn, signal) =>
      client.send(`${pathOf(arn)}/stop`, { method: "POST", signal }),
    // AWS does not stop twice.
    secondTry: "ConflictException",
    async check({ client }, arn) {
      assert.match((await client.get(arn)).status, /^Stopp/);
    },
    leaves: [1, 1],
  },
];
