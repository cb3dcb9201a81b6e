/** Presigned URLs, used by what knows nothing of S3: a plain fetch. The bucket tells the provider. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from "../../sdks/client_s3.ts";
import { getSignedUrl } from "../../sdks/s3_request_presigner.ts";
import { runPython } from "../../python.ts";
import { awsEnvironment, credentials, holders, notGivenBack, succeed, withWorld } from "./world.ts";

type Urls = Readonly<Record<"PUT" | "HEAD" | "GET" | "DELETE", string>>;

const utf8 = new TextEncoder();
const text = '{"recordId":"1"}\n';
const key = "in/a b+é&.jsonl";

/** URLs by what signed them and how. */
async function presigned(endpoint: string, bucket: string): Promise<Record<string, Urls>> {
  const script = fileURLToPath(new URL("./presign.py", import.meta.url));
  const printed = await succeed(runPython(script, [endpoint, bucket, key], awsEnvironment));
  const { default: byDefault, s3, s3v4 } = JSON.parse(printed);
  const client = new S3Client({ endpoint, credentials, region: "us-west-2", forcePathStyle: true });
  const object = { Bucket: bucket, Key: key };
  try {
    const javascript = {
      PUT: await getSignedUrl(client, new PutObjectCommand(object), { expiresIn: 60 }),
      HEAD: await getSignedUrl(client, new HeadObjectCommand(object), { expiresIn: 60 }),
      GET: await getSignedUrl(client, new GetObjectCommand(object), { expiresIn: 60 }),
      DELETE: await getSignedUrl(client, new DeleteObjectCommand(object), { expiresIn: 60 }),
    };
    return { "boto3": byDefault, "boto3 with SigV2": s3, "boto3 with SigV4": s3v4, javascript };
  } finally {
    client.destroy();
  }
}

for (const { provider, bucket, reads } of holders) {
  Deno.test(`presigned URLs put, head, get and delete an object of ${provider} with plain fetch`, () =>
    withWorld(async (world) => {
      for (const endpoint of [world.endpoint, world.root]) {
        for (const [by, urls] of Object.entries(await presigned(endpoint, bucket))) {
          // Bytes: a text would get a Content-Type, which a SigV2 link signs as none.
          const put = await fetch(urls.PUT, { method: "PUT", body: utf8.encode(text) });
          assert.deepEqual([put.status, await put.text()], [200, ""], `${by} ${urls.PUT}`);
          const head = await fetch(urls.HEAD, { method: "HEAD" });
          assert.deepEqual(
            [head.status, head.headers.get("content-length"), head.headers.get("etag")],
            [200, `${text.length}`, put.headers.get("etag")],
            by,
          );
          const got = await fetch(urls.GET);
          const body = await got.text();
          if (reads) assert.deepEqual([got.status, body], [200, text], by);
          else {
            assert.equal(got.status, 400, by);
            assert.match(body, notGivenBack);
          }
          const removed = await fetch(urls.DELETE, { method: "DELETE" });
          assert.deepEqual([removed.status, await removed.text()], [204, ""], by);
          const gone = await fetch(urls.HEAD, { method: "HEAD" });
          assert.equal(gone.status, 404, by);
        }
      }
    }));
}
