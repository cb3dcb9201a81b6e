import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { BlobStore } from "../../blobs/store.ts";
import { createBucketCalls } from "../../blobs/bucket_calls.ts";
import { createFolderStore } from "../../blobs/folder.ts";
import { Failure } from "../../codecs/failure.ts";
import { temporaryFolder } from "../catalog/memory.ts";
import { quiet } from "../objects/world.ts";
import { startBucket } from "./bucket.ts";

const text = "0123456789";
const bytes = new TextEncoder().encode(text);
const sha256 = createHash("sha256").update(text).digest("hex");
const md5 = createHash("md5").update(text).digest("hex");

/** Each driver, with a store of its own for each test. */
const drivers: Readonly<
  Record<string, (test: (store: BlobStore) => Promise<void>) => Promise<void>>
> = {
  async folder(test) {
    await using folder = await temporaryFolder();
    await test(createFolderStore({ folder: `${folder.path}/new/one`, due: Date.now }));
  },
  async bucket(test) {
    await using bucket = await startBucket();
    await test(bucket.store());
  },
};

/** A body of these chunks, and whether it was let go of. */
function bodyOf(chunks: readonly (Uint8Array | Error)[]) {
  const rest = chunks.values();
  let isEnded = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const { done, value } = rest.next();
      isEnded ||= done === true;
      if (done) controller.close();
      else if (value instanceof Error) {
        isEnded = true;
        controller.error(value);
      } else controller.enqueue(value);
    },
    cancel() {
      isEnded = true;
    },
  }, { highWaterMark: 0 });
  return { body, isEnded: () => isEnded };
}

async function readText(store: BlobStore, name: string, first = 0, last?: number) {
  const range = { first, ...(last !== undefined && { last }) };
  const body = await store.open(name, range, quiet());
  return await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

const namesOf = async (store: BlobStore, prefix = "") =>
  (await Array.fromAsync(store.list(prefix, quiet()))).map(({ name }) => name).toSorted();

const isGone = (error: unknown) => error instanceof Failure && error.kind === "not-found";

for (const [driver, run] of Object.entries(drivers)) {
  Deno.test(`${driver}: a draft that is kept is read whole and in ranges, and removed`, () =>
    run(async (store) => {
      const draft = await store.draft();
      await draft.write(bytes.subarray(0, 4));
      await draft.write(bytes.subarray(4));
      assert.deepEqual(await namesOf(store), []);
      await draft.keep("cloud/job/file", { bytes: 10, sha256 }, quiet());
      await draft.discard();
      await draft.discard();
      const reads = [[0], [3, 5], [9, 9], [0, 0]] as const;
      assert.deepEqual(
        await Promise.all(
          reads.map(([first, last]) => readText(store, "cloud/job/file", first, last)),
        ),
        [text, "345", "9", "0"],
      );
      await (await store.open("cloud/job/file", { first: 0 }, quiet())).cancel();
      await store.remove("cloud/job/file", quiet());
      await store.remove("cloud/job/file", quiet());
      await assert.rejects(store.open("cloud/job/file", { first: 0 }, quiet()), isGone);
      assert.equal(await store.head("cloud/job/file", quiet()), undefined);
    }));

  Deno.test(`${driver}: a draft that is not what it must be is not kept`, () =>
    run(async (store) => {
      for (const wrong of [{ bytes: 11, sha256 }, { bytes: 10, sha256: "0".repeat(64) }]) {
        const draft = await store.draft();
        await draft.write(bytes);
        await assert.rejects(draft.keep("a/b", wrong, quiet()));
        await draft.discard();
      }
      assert.deepEqual(await namesOf(store), []);
    }));

  Deno.test(`${driver}: a body of known length is kept with its length and time`, () =>
    run(async (store) => {
      const { body } = bodyOf([bytes.subarray(0, 1), bytes.subarray(1)]);
      await store.put("o/a", { bytes: 10, body, md5: () => md5 }, quiet());
      const head = await store.head("o/a", quiet());
      assert.deepEqual([head?.name, head?.bytes], ["o/a", 10]);
      assert.ok((head?.modifiedAt ?? 0) > 0);
      assert.equal(await readText(store, "o/a"), text);
      await store.put("o/a", { bytes: 3, body: bodyOf([bytes.subarray(7)]).body }, quiet());
      assert.equal(await readText(store, "o/a"), "789");
      await store.put("o/empty", { bytes: 0, body: bodyOf([]).body }, quiet());
      assert.equal((await store.head("o/empty", quiet()))?.bytes, 0);
    }));

  Deno.test(`${driver}: a body that breaks, or has another length, leaves nothing`, () =>
    run(async (store) => {
      const broken = new Failure("invalid", "The digest is wrong");
      const bodies: readonly [number, (Uint8Array | Error)[], unknown][] = [
        [10, [bytes.subarray(0, 5), broken], broken],
        [10, [broken], broken],
        [0, [broken], broken],
        [11, [bytes], undefined],
        [9, [bytes], undefined],
        [0, [bytes], undefined],
      ];
      for (const [length, chunks, expected] of bodies) {
        const { body, isEnded } = bodyOf(chunks);
        await assert.rejects(
          store.put("o/b", { bytes: length, body }, quiet()),
          (error) => expected === undefined ? error instanceof Error : error === expected,
        );
        assert.ok(isEnded(), `${length}: ${chunks}`);
      }
      assert.deepEqual(await namesOf(store), []);
    }));

  Deno.test(`${driver}: lists show the names below a prefix, and no drafts`, () =>
    run(async (store) => {
      const names = ["a/b/1", "a/b/2", "a/bc", "a.b/3", "z"];
      for (const name of names) {
        await store.put(name, { bytes: 1, body: bodyOf([bytes.subarray(0, 1)]).body }, quiet());
      }
      const draft = await store.draft();
      await draft.write(bytes);
      assert.deepEqual(await namesOf(store), names.toSorted());
      assert.deepEqual(await namesOf(store, "a/b/"), ["a/b/1", "a/b/2"]);
      assert.deepEqual(await namesOf(store, "a/b"), ["a/b/1", "a/b/2", "a/bc"]);
      assert.deepEqual(await namesOf(store, "y/"), []);
      await draft.discard();
    }));
}

Deno.test("bucket: a blob over the limit of one put goes up in parts, whole or not at all", async () => {
  await using bucket = await startBucket();
  const limit = 5 * 2 ** 20;
  const store = bucket.store({ maxPutBytes: limit + 1 });
  const large = new Uint8Array(2 * limit + 1).map((_, at) => at % 251);
  const chunks = () => {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < large.length; at += 700_001) {
      pieces.push(large.subarray(at, at + 700_001));
    }
    return pieces;
  };
  await store.put("big", { bytes: large.length, body: bodyOf(chunks()).body }, quiet());
  const body = await store.open("big", { first: 0 }, quiet());
  const read = await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).bytes();
  assert.deepEqual(
    createHash("md5").update(read).digest("hex"),
    createHash("md5").update(large).digest("hex"),
  );
  const broken = new Failure("invalid", "The digest is wrong");
  for (
    const [more, sent] of [[0, [...chunks().slice(0, -1), broken]], [1, chunks()], [
      -1,
      chunks(),
    ]] as const
  ) {
    const { body, isEnded } = bodyOf(sent);
    await assert.rejects(
      store.put("other", { bytes: large.length + more, body }, quiet()),
      Failure,
    );
    assert.ok(isEnded());
  }
  assert.deepEqual(await namesOf(store), ["big"]);
});

Deno.test("bucket: bytes that S3 has otherwise than they were sent are not kept", async () => {
  await using bucket = await startBucket();
  const store = bucket.store();
  const { body } = bodyOf([bytes]);
  await assert.rejects(
    store.put("o/c", { bytes: 10, body, md5: () => "0".repeat(32) }, quiet()),
    /not those that were sent/,
  );
  assert.deepEqual(await namesOf(store), []);
});

Deno.test("bucket: an answer that is not a success is unavailable, and names no secret", async () => {
  await using bucket = await startBucket();
  const store = bucket.store();
  const rules = [{ provider: "s3", status: 503, body: "<Error/>", times: 5 }];
  await fetch(`${bucket.sandbox.controlUrl}/faults`, {
    method: "POST",
    body: JSON.stringify(rules),
  })
    .then((answer) => answer.body?.cancel());
  const calls: readonly (() => Promise<unknown>)[] = [
    () => store.put("a", { bytes: 10, body: bodyOf([bytes]).body }, quiet()),
    () => store.open("a", { first: 0 }, quiet()),
    () => store.head("a", quiet()),
    () => store.remove("a", quiet()),
    () => namesOf(store),
  ];
  for (const call of calls) {
    await assert.rejects(
      call(),
      (error) =>
        error instanceof Failure && error.kind === "unavailable" && /503/.test(error.message),
    );
  }
});

Deno.test("bucket: a list of several pages is read to its end", async () => {
  const queries: string[] = [];
  const page = (name: string, more: string) =>
    `<ListBucketResult><Contents><Key>p/${name}</Key><Size>7</Size>` +
    `<LastModified>2026-11-30T00:00:00.000Z</LastModified></Contents>${more}</ListBucketResult>`;
  const pages = [page("a", "<NextContinuationToken>t/1+</NextContinuationToken>"), page("b", "")];
  const { list } = createBucketCalls({
    bucket: "kept",
    prefix: "p/",
    provider: {
      name: "fake",
      forward({ query }) {
        queries.push(query);
        return Promise.resolve(new Response(pages[queries.length - 1] ?? ""));
      },
    },
  });
  const modifiedAt = Date.UTC(2026, 10, 30);
  assert.deepEqual(await Array.fromAsync(list("x/", quiet())), [
    { name: "a", bytes: 7, modifiedAt },
    { name: "b", bytes: 7, modifiedAt },
  ]);
  const first = "list-type=2&prefix=p%2Fx%2F";
  assert.deepEqual(queries, [first, `${first}&continuation-token=t%2F1%2B`]);
});
