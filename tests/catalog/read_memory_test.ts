import assert from "node:assert/strict";
import { openChangeCounter } from "../../catalog/change_counter.ts";
import { type Catalog, createCatalog } from "../../catalog/catalog.ts";
import { keys } from "../../catalog/keys.ts";
import { openKv } from "../../catalog/kv.ts";
import { openLocation } from "../../catalog/location.ts";
import { createReadMemory, noMemory, rememberReads } from "../../catalog/read_memory.ts";
import { objectRecord, scope, sleep, temporaryFolder } from "./memory.ts";

/** A catalog's file that two have open, the second as another process would. */
async function openTwice() {
  const folder = await temporaryFolder();
  const path = `${folder.path}/catalog.kv`;
  const [one, two] = [await openKv(path), await openKv(path)];
  await one.set(["key"], 0);
  const mark = openChangeCounter(path);
  return {
    one,
    two,
    mark,
    path,
    async [Symbol.asyncDispose]() {
      mark.close();
      one.close();
      two.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

Deno.test("the mark moves with every commit of anybody, and with nothing else", async () => {
  await using opened = await openTwice();
  const { one, two, mark } = opened;
  let last = mark.now();
  assert.equal(mark.now(), last);
  for (
    const change of [
      () => one.set(["key"], 1),
      () => two.set(["key"], 1),
      () => two.set(["key"], 1),
      () => two.atomic().delete(["not there"]).commit(),
      () => one.atomic().sum(["sum"], 1n).commit(),
    ]
  ) {
    const count = mark.count() ?? assert.fail();
    await change();
    assert.notEqual(mark.now(), last);
    assert.equal(mark.count(), count + 1);
    last = mark.now();
  }
  await two.get(["key"]);
  for await (const _ of one.list({ prefix: [] }));
  const refused = await two.atomic().check({ key: ["key"], versionstamp: null }).commit();
  assert.equal(refused.ok, false);
  assert.equal(mark.now(), last);
});

Deno.test("the counter moves also where the log begins again", async () => {
  await using opened = await openTwice();
  const { one, two, mark } = opened;
  // 1,000 pages of the log are written back into the file, and then it begins at its start.
  for (let n = 0; n < 120; n++) {
    const before = mark.now();
    const count = mark.count() ?? assert.fail();
    await (n % 2 ? one : two).set(["large", n % 7], new Uint8Array(60_000).fill(n));
    assert.notEqual(mark.now(), before, `after ${n}`);
    assert.equal(mark.count(), count + 1, `after ${n}`);
  }
});

Deno.test("a file without an index that is known has no mark", async () => {
  await using folder = await temporaryFolder();
  assert.throws(() => openChangeCounter(`${folder.path}/none`), Deno.errors.NotFound);
  await Deno.writeFile(`${folder.path}/other-shm`, new Uint8Array(32_768).fill(7));
  assert.throws(() => openChangeCounter(`${folder.path}/other`), TypeError);
  await Deno.writeFile(`${folder.path}/short-shm`, new Uint8Array(10));
  assert.throws(() => openChangeCounter(`${folder.path}/short`), TypeError);
});

Deno.test("a header that is being written is another mark each time it is looked at", async () => {
  await using opened = await openTwice();
  const { path, mark } = opened;
  const before = mark.now();
  // As a writer does: first the second copy, then the first.
  const file = await Deno.open(`${path}-shm`, { read: true, write: true });
  try {
    const counter = new Uint8Array(4);
    await file.seek(48 + 8, Deno.SeekMode.Start);
    await file.read(counter);
    const written = counter.map((byte) => byte ^ 0xff);
    await file.seek(48 + 8, Deno.SeekMode.Start);
    await file.write(written);
    const torn = [mark.now(), mark.now(), mark.now()];
    assert.equal(new Set([before, ...torn]).size, 4);
    await file.seek(48 + 8, Deno.SeekMode.Start);
    await file.write(counter);
  } finally {
    file.close();
  }
  const whole = mark.now();
  assert.notEqual(whole, before);
  assert.equal(mark.now(), whole);
});

/** A mark that a test moves. */
function createMark() {
  const mark = { at: 1, count: () => mark.at };
  return mark;
}

Deno.test("what was read is remembered until the mark moves", async () => {
  const mark = createMark();
  const memory = createReadMemory(mark);
  let reads = 0;
  const read = (name = "a") =>
    memory.remember(name, () => 1, () => Promise.resolve({ n: ++reads }), []);
  const first = await read();
  assert.equal(await read(), first);
  assert.deepEqual(await read("b"), { n: 2 });
  mark.at++;
  assert.deepEqual(await read(), { n: 3 });
  assert.deepEqual(await read(), { n: 3 });
  const failing = () =>
    memory.remember("c", () => 1, () => Promise.reject(new Error("broken")), []);
  await assert.rejects(failing());
  await assert.rejects(failing());
  const read9 = () => noMemory.remember("a", () => 1, () => Promise.resolve({ n: ++reads }), []);
  assert.deepEqual([await read9(), await read9()], [{ n: 4 }, { n: 5 }]);
});

Deno.test("what was changed while it was read is not remembered", async () => {
  const mark = createMark();
  const memory = createReadMemory(mark);
  const slow = Promise.withResolvers<{ n: number }>();
  const first = memory.remember("a", () => 1, () => slow.promise, []);
  mark.at++;
  // Somebody else looks, so that the memory is of the new mark when the old value comes.
  await memory.remember("b", () => 1, () => Promise.resolve({}), []);
  slow.resolve({ n: 1 });
  assert.deepEqual(await first, { n: 1 });
  assert.deepEqual(await memory.remember("a", () => 1, () => Promise.resolve({ n: 2 }), []), {
    n: 2,
  });
});

Deno.test("a memory holds so many records and no more", async () => {
  const memory = createReadMemory(createMark());
  let reads = 0;
  const read = (name: string) =>
    memory.remember(name, () => 1_000, () => Promise.resolve({ n: ++reads }), []);
  for (let n = 0; n < 10; n++) await read(`page ${n}`);
  await read("page 0");
  assert.equal(reads, 10);
  await read("page 10");
  await read("page 0");
  assert.equal(reads, 12);
});

Deno.test("reads of a key come from memory, those of work and of checks from the file", async () => {
  using below = await openKv(":memory:");
  const mark = createMark();
  const kv = rememberReads(below, createReadMemory(mark));
  await kv.set(["job", "a"], "old");
  await kv.set(["lease", "a"], "old");
  const read =
    async () => [(await kv.get(["job", "a"])).value, (await kv.get(["lease", "a"])).value];
  assert.deepEqual(await read(), ["old", "old"]);
  await below.set(["job", "a"], "new");
  await below.set(["lease", "a"], "new");
  assert.deepEqual(await read(), ["old", "new"]);
  mark.at++;
  assert.deepEqual(await read(), ["new", "new"]);
  assert.equal((await kv.get(["job", "none"])).versionstamp, null);
});

Deno.test("what one has written the other sees at once, however often it looked before", async () => {
  await using folder = await temporaryFolder();
  const location = { kind: "file", path: `${folder.path}/catalog.kv` } as const;
  const open = async () => {
    const { kv, memory, close } = await openLocation(location, { sleep });
    assert.ok(memory);
    return { catalog: createCatalog(kv, sleep, memory), close };
  };
  const [one, two] = [await open(), await open()];
  const look = async (catalog: Catalog) => {
    const record = await catalog.objects.get(scope, "bucket", "key");
    const page = await catalog.memory.remember("page", () => 1, async () => ({
      found: await catalog.objects.range(scope, "bucket", new Uint8Array(), undefined, 10),
    }), [keys.objects(scope, "bucket")]);
    assert.equal(page.found[0]?.record.file, record?.file);
    return record?.file;
  };
  let isOver = false;
  const watched = Promise.all([one, two].map(async ({ catalog }) => {
    let looks = 0;
    for (; !isOver; looks++) {
      await look(catalog).catch(() => undefined);
      await sleep(0);
    }
    return looks;
  }));
  for (let n = 0; n < 300; n++) {
    const writer = (n % 2 ? one : two).catalog;
    const reader = (n % 2 ? two : one).catalog;
    await writer.objects.set(scope, "bucket", "key", objectRecord(`file-${n}`));
    assert.equal(await look(reader), `file-${n}`);
    assert.equal(await look(writer), `file-${n}`);
  }
  isOver = true;
  assert.ok((await watched).every((looks) => looks > 0));
  await one.close();
  await two.close();
});

Deno.test("own commits end what they wrote and nothing else, and another's ends everything", async () => {
  const mark: { at: number | undefined; count(): number | undefined } = {
    at: 2 ** 32 - 1,
    count: () => mark.at,
  };
  const memory = createReadMemory(mark);
  let reads = 0;
  const read = (name: string, of: Deno.KvKey) =>
    memory.remember(name, () => 1, () => Promise.resolve({ n: ++reads }), [of]);
  const look = async () =>
    [await read("job", ["job", "a", 1]), await read("page", ["job", "b"])].map(({ n }) => n);
  const commit = (at: number, ...written: Deno.KvKey[]) => {
    memory.began();
    mark.at = at;
    memory.ended(written);
  };
  assert.deepEqual(await look(), [1, 2]);
  commit(0, ["job", "a", 2], ["running", "b", 1]);
  assert.deepEqual(await look(), [1, 2]);
  commit(1, ["job", "b", 7]);
  assert.deepEqual(await look(), [1, 3]);
  commit(2, ["job", "a", 1]);
  assert.deepEqual(await look(), [4, 3]);
  // Another process's commit beside one of this process.
  commit(4, ["running", "a", 1]);
  assert.deepEqual(await look(), [5, 6]);
  // While a commit is under way it is not known whose the change is.
  memory.began();
  assert.deepEqual(await look(), [5, 6]);
  mark.at = 5;
  assert.deepEqual(await look(), [7, 8]);
  memory.ended([["running", "a", 1]]);
  assert.deepEqual(await look(), [5, 6]);
  // It was another's, and the own one was refused.
  memory.began();
  mark.at = 6;
  memory.ended(undefined);
  assert.deepEqual(await look(), [9, 10]);
  mark.at = undefined;
  assert.deepEqual(await look(), [11, 12]);
});

Deno.test("what an own commit wrote while it was read is not remembered", async () => {
  const mark = createMark();
  const memory = createReadMemory(mark);
  const slow = Promise.withResolvers<{ n: number }>();
  const first = memory.remember("a", () => 1, () => slow.promise, [["job", "a"]]);
  memory.began();
  mark.at++;
  memory.ended([["job", "a", 1]]);
  slow.resolve({ n: 1 });
  await first;
  const second = () =>
    memory.remember("a", () => 1, () => Promise.resolve({ n: 2 }), [["job", "a"]]);
  assert.deepEqual(await second(), { n: 2 });
});
