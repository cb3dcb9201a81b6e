import assert from "node:assert/strict";
import { Readable } from "node:stream";
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
  S3Client,
} from "../../sdks/client_s3.ts";
import { Upload } from "../../sdks/lib_storage.ts";
import { heldFiles, until } from "../session.ts";
import {
  bytesOf,
  type ClientWorld,
  credentials,
  digestOf,
  holders,
  notGivenBack,
  samples,
  withWorld,
} from "./world.ts";

/** A client that is closed where its block ends. It tries once: nothing is to hide behind a retry. */
function clientOf({ endpoint }: ClientWorld): S3Client & Disposable {
  const client = new S3Client({
    endpoint,
    credentials,
    region: "us-west-2",
    forcePathStyle: true,
    maxAttempts: 1,
  });
  return Object.assign(client, { [Symbol.dispose]: () => client.destroy() });
}

/** Bytes as a stream whose chunks are no multiple of anything. */
function streamOf(bytes: Uint8Array): Readable {
  return Readable.from((function* () {
    for (let at = 0; at < bytes.length; at += 77_777) yield bytes.subarray(at, at + 77_777);
  })());
}

const mebibyte = 2 ** 20;
/** In three parts, of which the last is short. */
const inParts = { "in parts +&.jsonl": 11 * mebibyte + 7 };

for (const { provider, bucket, reads } of holders) {
  Deno.test(`JavaScript's Upload sends streams, in parts from 5 MiB on, to ${provider}`, () =>
    withWorld(async (world) => {
      using client = clientOf(world);
      const sizes = { ...samples, ...inParts };
      for (const [Key, length] of Object.entries(sizes)) {
        const Body = streamOf(bytesOf(length));
        const object = { Bucket: bucket, Key, Body, ContentType: "application/jsonl" };
        const done = await new Upload({ client, queueSize: 3, params: object }).done();
        const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key }));
        assert.deepEqual(
          [head.ContentLength, head.ETag, head.ContentType, head.ContentEncoding],
          [length, done.ETag, "application/jsonl", undefined],
          Key,
        );
        const get = new GetObjectCommand({ Bucket: bucket, Key });
        if (reads || length === 0) {
          const got = await (await client.send(get)).Body?.transformToByteArray();
          assert.equal(digestOf(got ?? assert.fail("no body")), digestOf(bytesOf(length)), Key);
        } else await assert.rejects(client.send(get), notGivenBack);
      }
      const listed: Record<string, number | undefined> = {};
      const pages = paginateListObjectsV2({ client, pageSize: 2 }, { Bucket: bucket });
      for await (const { Contents } of pages) {
        for (const { Key, Size } of Contents ?? []) listed[`${Key}`] = Size;
      }
      assert.deepEqual(listed, sizes);
      const Objects = Object.keys(sizes).map((Key) => ({ Key }));
      const removed = await client.send(
        new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }),
      );
      assert.deepEqual([removed.Deleted?.length, removed.Errors], [Objects.length, undefined]);
      if (provider !== "bedrock") {
        assert.deepEqual(await heldFiles(world.gateway.sandbox, provider), []);
      }
    }));

  Deno.test(`an Upload to ${provider} that is given up leaves nothing`, () =>
    withWorld(async (world) => {
      using client = clientOf(world);
      const given = new AbortController();
      const aborted = new Promise<void>((resolve) =>
        given.signal.addEventListener("abort", () => resolve())
      );
      // Its second part never comes to its end.
      const Body = Readable.from((async function* () {
        yield bytesOf(6 * mebibyte);
        await aborted;
      })());
      const upload = new Upload({
        client,
        abortController: given,
        params: { Bucket: bucket, Key: "a.jsonl", Body },
      });
      const sent = new Promise<void>((resolve) => upload.on("httpUploadProgress", () => resolve()));
      const done = assert.rejects(upload.done(), { name: "AbortError" });
      await sent;
      const uploads = async () =>
        (await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads?.length;
      assert.equal(await uploads(), 1);
      given.abort();
      await done;
      await until(async () => await uploads() === undefined);
      const head = new HeadObjectCommand({ Bucket: bucket, Key: "a.jsonl" });
      await assert.rejects(client.send(head), { name: "NotFound" });
      if (provider !== "bedrock") {
        assert.deepEqual(await heldFiles(world.gateway.sandbox, provider), []);
      }
    }));
}
