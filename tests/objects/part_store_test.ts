import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createPartStore } from "../../objects/part_store.ts";
import { startBucket } from "../blobs/bucket.ts";

const upload = "0".repeat(32);
const holder = { tenant: "a", account: "x" };
const stream = (text: string) => new Blob([text]).stream();

async function textOf(body: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

Deno.test("parts in a bucket are joined by another gateway than the one that took them", async () => {
  await using bucket = await startBucket();
  const one = createPartStore(bucket.store(), "s3");
  const other = createPartStore(bucket.store(), "s3");
  assert.equal(await one.disk(), await other.disk());
  const texts = { "2-b": "world", "1-a": "hello ", "3-c": "" };
  for (const [file, text] of Object.entries(texts)) {
    const md5 = await one.write(upload, { file, bytes: text.length }, stream(text), holder);
    assert.equal(md5, createHash("md5").update(text).digest("hex"));
  }
  const parts = [{ file: "1-a", bytes: 6 }, { file: "3-c", bytes: 0 }, { file: "2-b", bytes: 5 }];
  assert.equal(await textOf(other.read(upload, parts)), "hello world");
  assert.equal(await other.has(upload, { file: "1-a", bytes: 6 }), true);
  assert.equal(await other.has(upload, { file: "1-a", bytes: 7 }), false);
  assert.equal(await other.has(upload, { file: "9-z", bytes: 6 }), false);
  assert.deepEqual(await other.uploads(), [upload]);
  const reader = other.read(upload, parts).getReader();
  await reader.read();
  await reader.cancel();
  await one.remove(upload, "3-c");
  assert.deepEqual((await other.strays(upload, Infinity)).toSorted(), ["1-a", "2-b"]);
  assert.deepEqual(await other.strays(upload, 0), []);
  await other.removeAll(upload);
  assert.deepEqual(await one.uploads(), []);
  await one.close();
  await other.close();
});

Deno.test("a part whose body breaks, or is not as long as it says, is not in the bucket", async () => {
  await using bucket = await startBucket();
  const parts = createPartStore(bucket.store(), "s3");
  const broken = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(4)),
    pull: (controller) => controller.error(new Error("gone")),
  });
  await assert.rejects(parts.write(upload, { file: "1-a", bytes: 8 }, broken, holder));
  await assert.rejects(parts.write(upload, { file: "1-b", bytes: 9 }, stream("x"), holder));
  assert.deepEqual(await parts.uploads(), []);
});
