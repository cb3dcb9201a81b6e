import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { join } from "node:path";
import { createStore, partOfStore, type SandboxStore } from "../../sandbox/store.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const stream = (...pieces: string[]) => ReadableStream.from(pieces.map(bytes));
const text = (body: ReadableStream<Uint8Array>) => new Response(body).text();

/** Runs a test on a store in memory and on one in a folder. */
function onBoth(name: string, test: (store: SandboxStore) => Promise<void>): void {
  Deno.test(`${name} (memory)`, async () => await test(await createStore()));
  Deno.test(`${name} (folder)`, async () =>
    await inFolder(async (folder) => await test(await createStore(folder))));
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

onBoth("Documents are listed in the order of their first writing", (store) => {
  store.set("files", "b", 1);
  store.set("files", "a", 2);
  store.set("other", "z", 3);
  store.set("files", "b", 4);
  deepEqual(store.list("files"), [["b", 4], ["a", 2]]);
  deepEqual(store.collections(), ["files", "other"]);
  equal(store.delete("files", "b"), true);
  equal(store.delete("files", "b"), false);
  equal(store.get("files", "b"), undefined);
  deepEqual(store.list("files"), [["a", 2]]);
  return Promise.resolve();
});

onBoth("A document that a caller changes is not changed in the store", (store) => {
  const document = { tags: ["a"] };
  store.set("files", "x", document);
  document.tags.push("b");
  const read = store.get("files", "x") as typeof document;
  read.tags.push("c");
  deepEqual(store.get("files", "x"), { tags: ["a"] });
  return Promise.resolve();
});

onBoth("A blob is given back whole and in ranges, with its digests", async (store) => {
  const info = await store.writeBlob("a/b", stream("hello ", "", "wor", "ld"));
  deepEqual(info, {
    bytes: 11,
    md5: "5eb63bbbe01eeed093cb22bb8f5acdc3",
    sha256: "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
  });
  equal(await text(store.readBlob("a/b")), "hello world");
  for (const [first, last] of [[0, 0], [0, 5], [4, 8], [6, 100], [10, 10], [11, 20]] as const) {
    const expected = "hello world".slice(first, last + 1);
    equal(await text(store.readBlob("a/b", first, last)), expected, `${first}-${last}`);
  }
  equal(await text(store.readBlob("a/b", 6)), "world");
});

onBoth("A reader of a blob that is replaced sees the old one whole", async (store) => {
  await store.writeBlob("a", stream("old"));
  const old = store.readBlob("a");
  await store.writeBlob("a", stream("newer"));
  equal(await text(old), "old");
  equal(await text(store.readBlob("a")), "newer");
});

onBoth("Nothing is kept of a blob whose stream breaks", async (store) => {
  await store.writeBlob("a", stream("before"));
  const broken = ReadableStream.from((function* () {
    yield bytes("half");
    throw new Error("broken");
  })());
  await rejects(store.writeBlob("a", broken), /broken/);
  equal(await text(store.readBlob("a")), "before");
});

onBoth("A blob that is not there cannot be read, but deleted", async (store) => {
  await store.writeBlob("a", stream("x"));
  await store.deleteBlob("a");
  await store.deleteBlob("a");
  throws(() => store.readBlob("a"), Deno.errors.NotFound);
});

onBoth("A cleared store holds nothing", async (store) => {
  store.set("files", "a", 1);
  await store.writeBlob("a", stream("x"));
  await store.clear();
  deepEqual(store.collections(), []);
  throws(() => store.readBlob("a"), Deno.errors.NotFound);
  store.set("files", "b", 2);
  await store.writeBlob("b", stream("y"));
  equal(await text(store.readBlob("b")), "y");
});

Deno.test("A part of a store sees only its own names", async () => {
  const store = await createStore();
  const [one, two] = [partOfStore(store, "one"), partOfStore(store, "two")];
  one.set("files", "a", 1);
  await one.writeBlob("a", stream("x"));
  equal(two.get("files", "a"), undefined);
  throws(() => two.readBlob("a"), Deno.errors.NotFound);
  deepEqual(store.collections(), ["one/files"]);
});

Deno.test("A folder that was not closed is found as it was left", async () => {
  await inFolder(async (folder) => {
    const left = await createStore(folder);
    left.set("files", "b", { name: "b" });
    left.set("files", "a", { name: "a" });
    left.set("files", "gone", null);
    left.delete("files", "gone");
    left.set("files", "b", { name: "b2" });
    await left.writeBlob("a".repeat(2000), stream("long name"));

    const found = await createStore(folder);
    deepEqual(found.list("files"), [["b", { name: "b2" }], ["a", { name: "a" }]]);
    equal(await text(found.readBlob("a".repeat(2000))), "long name");
  });
});

Deno.test("A change that a killed process had half written is left out", async () => {
  await inFolder(async (folder) => {
    const left = await createStore(folder);
    left.set("files", "a", 1);
    await Deno.writeTextFile(join(folder, "documents.jsonl"), '["files","b",{"na', {
      append: true,
    });
    const found = await createStore(folder);
    deepEqual(found.list("files"), [["a", 1]]);
    found.set("files", "c", 3);
    deepEqual((await createStore(folder)).list("files"), [["a", 1], ["c", 3]]);
  });
});

Deno.test("Flushing leaves one line a document", async () => {
  await inFolder(async (folder) => {
    const store = await createStore(folder);
    for (let i = 0; i < 10; i++) store.set("files", "a", i);
    await store.flush();
    equal(await Deno.readTextFile(join(folder, "documents.jsonl")), '["files","a",9]\n');
  });
});
