/** Every operation that is offered, as a request that succeeds. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { SupportedOperation } from "../../routes/s3/operation.ts";
import type { Ask, Key, Way } from "./sign.ts";
import type { World } from "./world.ts";

/** Where S3 is. */
export const files = "/bedrock/files";

/** What an object holds that a provider of batches takes. */
export const line =
  '{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m"}}\n';

/** Lets a provider have the bytes of an object, whatever they are. */
export const native = { "x-amz-meta-batchway-dialect": "native" } as const;

/** What a request is about; all of it is there. */
export interface Place {
  readonly bucket: string;
  /** Of a tenant's object. */
  readonly key: string;
  readonly etag: string;
  /** An upload of `upload.jsonl` with one part. */
  readonly uploadId: string;
  readonly partTag: string;
  /** ARN of a job. */
  readonly arn: string;
}

/** An operation. */
export interface Operation {
  readonly name: string;
  readonly ask: (place: Place) => Ask;
  /** Ways in which it cannot be signed at all. */
  readonly not?: readonly Way[];
}

const at = ({ bucket, key }: Place) => `${files}/${bucket}/${key}`;
const uploadAt = ({ bucket }: Place) => `${files}/${bucket}/upload.jsonl`;
const md5 = (text: string) => createHash("md5").update(text).digest("base64");
const complete = ({ partTag }: Place) =>
  "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>" +
  `<ETag>${partTag}</ETag></Part></CompleteMultipartUpload>`;
const deletion = ({ key }: Place) => `<Delete><Object><Key>${key}</Key></Object></Delete>`;

const s3: Readonly<Record<SupportedOperation, Omit<Operation, "name">>> = {
  ListBuckets: { ask: () => ({ method: "GET", path: files }) },
  CreateBucket: { ask: (p) => ({ method: "PUT", path: `${files}/${p.bucket}-new` }) },
  HeadBucket: { ask: (p) => ({ method: "HEAD", path: `${files}/${p.bucket}` }) },
  GetBucketLocation: {
    ask: (p) => ({ method: "GET", path: `${files}/${p.bucket}`, query: "location=" }),
  },
  ListObjects: { ask: (p) => ({ method: "GET", path: `${files}/${p.bucket}` }) },
  ListObjectsV2: {
    ask: (p) => ({ method: "GET", path: `${files}/${p.bucket}`, query: "list-type=2&prefix=k" }),
  },
  ListObjectVersions: {
    ask: (p) => ({ method: "GET", path: `${files}/${p.bucket}`, query: "versions" }),
  },
  ListMultipartUploads: {
    ask: (p) => ({ method: "GET", path: `${files}/${p.bucket}`, query: "uploads" }),
  },
  ListParts: {
    ask: (p) => ({ method: "GET", path: uploadAt(p), query: `uploadId=${p.uploadId}` }),
  },
  GetObject: { ask: (p) => ({ method: "GET", path: at(p) }) },
  HeadObject: { ask: (p) => ({ method: "HEAD", path: at(p) }) },
  GetObjectAttributes: {
    ask: (p) => ({
      method: "GET",
      path: at(p),
      query: "attributes",
      headers: { "x-amz-object-attributes": "ObjectSize" },
    }),
    // SigV2 leaves `attributes` unsigned.
    not: ["oldLink"],
  },
  PutObject: { ask: (p) => ({ method: "PUT", path: `${files}/${p.bucket}/new`, body: line }) },
  CopyObject: {
    ask: (p) => ({
      method: "PUT",
      path: `${files}/${p.bucket}/copy`,
      headers: { "x-amz-copy-source": `${p.bucket}/${p.key}` },
    }),
  },
  CreateMultipartUpload: {
    ask: (p) => ({ method: "POST", path: `${files}/${p.bucket}/two`, query: "uploads" }),
  },
  UploadPart: {
    ask: (p) => ({
      method: "PUT",
      path: uploadAt(p),
      query: `partNumber=2&uploadId=${p.uploadId}`,
      body: line,
    }),
  },
  UploadPartCopy: {
    ask: (p) => ({
      method: "PUT",
      path: uploadAt(p),
      query: `partNumber=3&uploadId=${p.uploadId}`,
      headers: { "x-amz-copy-source": `${p.bucket}/${p.key}` },
    }),
  },
  CompleteMultipartUpload: {
    ask: (p) => ({
      method: "POST",
      path: uploadAt(p),
      query: `uploadId=${p.uploadId}`,
      body: complete(p),
    }),
  },
  AbortMultipartUpload: {
    ask: (p) => ({ method: "DELETE", path: uploadAt(p), query: `uploadId=${p.uploadId}` }),
  },
  DeleteObject: { ask: (p) => ({ method: "DELETE", path: at(p) }) },
  DeleteObjects: {
    ask: (p) => ({
      method: "POST",
      path: `${files}/${p.bucket}`,
      query: "delete",
      headers: { "content-md5": md5(deletion(p)) },
      body: deletion(p),
    }),
  },
  DeleteBucket: { ask: (p) => ({ method: "DELETE", path: `${files}/${p.bucket}-empty` }) },
};

/** The operations of S3. */
export const s3Operations: readonly Operation[] = Object.entries(s3)
  .map(([name, operation]) => ({ name, ...operation }));

/** What a job is made of. */
export function jobOf(bucket: string, key: string, name: string): Record<string, unknown> {
  return {
    jobName: name,
    roleArn: "arn:aws:iam::123456789012:role/batch",
    modelId: "m",
    inputDataConfig: { s3InputDataConfig: { s3Uri: `s3://${bucket}/${key}` } },
    outputDataConfig: { s3OutputDataConfig: { s3Uri: `s3://${bucket}/out/` } },
  };
}

const json = { "content-type": "application/json" };
const bedrock = (method: string, path: string, body?: unknown, query = ""): Ask => ({
  service: "bedrock",
  method,
  path: `/bedrock${path}`,
  query,
  ...(body !== undefined && { headers: json, body: JSON.stringify(body) }),
});
const jobPath = ({ arn }: Place) => `/model-invocation-job/${encodeURIComponent(arn)}`;

/** The operations of Bedrock. */
export const bedrockOperations: readonly Operation[] = [
  {
    name: "CreateModelInvocationJob",
    ask: (p) => bedrock("POST", "/model-invocation-job", jobOf(p.bucket, p.key, "new")),
  },
  { name: "GetModelInvocationJob", ask: (p) => bedrock("GET", jobPath(p)) },
  {
    name: "ListModelInvocationJobs",
    ask: () => bedrock("GET", "/model-invocation-jobs", undefined, "maxResults=5"),
  },
  {
    name: "ListTagsForResource",
    ask: (p) => bedrock("POST", "/listTagsForResource", { resourceARN: p.arn }),
  },
  {
    name: "TagResource",
    ask: (p) =>
      bedrock("POST", "/tagResource", { resourceARN: p.arn, tags: [{ key: "a", value: "b" }] }),
  },
  {
    name: "UntagResource",
    ask: (p) => bedrock("POST", "/untagResource", { resourceARN: p.arn, tagKeys: ["a"] }),
  },
  { name: "StopModelInvocationJob", ask: (p) => bedrock("POST", `${jobPath(p)}/stop`) },
];

let places = 0;

/** Makes a bucket with an object, an upload of one part, and where wanted a job on the object. */
export async function prepare(
  world: World,
  key: Key,
  wanted: { readonly job?: boolean; readonly bucket?: string } = {},
): Promise<Place> {
  const bucket = `${wanted.bucket ?? "bucket"}-${++places}`;
  const must = async (ask: Ask) => {
    const answer = await world.ask(ask, key);
    assert.ok(answer.status < 300, `${ask.method} ${ask.path}: ${answer.status} ${answer.body}`);
    return answer;
  };
  const put = { method: "PUT", body: line };
  // The line may be another provider's than the key's.
  for (const name of [bucket, `${bucket}-empty`]) {
    await must({ method: "PUT", path: `${files}/${name}` });
  }
  const object = await must({ ...put, headers: native, path: `${files}/${bucket}/k.jsonl` });
  const place = { bucket, key: "k.jsonl", etag: object.headers.get("etag") ?? "" };
  if (wanted.job) {
    const { ask } = bedrockOperations[0] ?? assert.fail();
    const made = await must(ask({ ...place, uploadId: "", partTag: "", arn: "" }));
    return { ...place, uploadId: "", partTag: "", arn: JSON.parse(made.body).jobArn };
  }
  const path = `${files}/${bucket}/upload.jsonl`;
  const created = await must({ method: "POST", path, query: "uploads" });
  const uploadId = /<UploadId>([^<]+)/.exec(created.body)?.[1] ?? assert.fail(created.body);
  const part = await must({ ...put, path, query: `partNumber=1&uploadId=${uploadId}` });
  return { ...place, uploadId, partTag: part.headers.get("etag") ?? "", arn: "" };
}
