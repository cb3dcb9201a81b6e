import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createReadMemory } from "../../catalog/read_memory.ts";
import type { ObjectEntry } from "../../catalog/entries.ts";
import { trustedClock } from "../../runtime/clock.ts";
import { fileId } from "../../codecs/ids.ts";
import { list, type ListPage, type ListRequest } from "../../objects/list.ts";
import { objectRecord, scope } from "../catalog/memory.ts";
import { createWorld, newObject, type ObjectWorld, quiet } from "./world.ts";

const plain: ListRequest = {
  bucket: "bucket",
  prefix: "",
  delimiter: "",
  maxKeys: 1_000,
  startAfter: "",
};

/** All pages of a list, each page's entries as S3 would show them, in one order. */
async function pages(world: ObjectWorld, request: ListRequest): Promise<string[][]> {
  const found: string[][] = [];
  let position: Uint8Array | undefined;
  for (;;) {
    const page: ListPage = await world.objects.list(
      world.reach,
      { ...request, ...(position && { position }) },
      quiet(),
    );
    found.push([...page.objects.map(({ key }) => key), ...page.commonPrefixes].sort(byBytes));
    position = page.next;
    if (!position) return found;
    assert.ok(found.length < 1_000, "the list does not end");
  }
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What a list shows, worked out in the simplest way from all keys. */
function model(keys: readonly string[], { prefix, delimiter, startAfter, maxKeys }: ListRequest) {
  const entries = new Set<string>();
  for (const key of keys.toSorted(byBytes)) {
    if (!key.startsWith(prefix) || byBytes(key, startAfter) <= 0) continue;
    const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    const entry = at < 0 ? key : key.slice(0, at + delimiter.length);
    if (byBytes(entry, startAfter) > 0) entries.add(entry);
  }
  const all = [...entries];
  const expected: string[][] = [];
  do expected.push(all.splice(0, maxKeys)); while (all.length > 0);
  return expected;
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6D2B79F5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  Deno.test(`pages of a bucket are those of a simple model, seed ${seed}`, async () => {
    using world = await createWorld();
    const random = seeded(seed);
    const alphabet = ["a", "b", "/", "/", "é", "～", "😀", "\0", " "];
    const pick = <Item>(items: readonly Item[]) =>
      items[Math.floor(random() * items.length)] as Item;
    const word = (length: number) =>
      Array.from({ length: Math.floor(random() * length) }, () => pick(alphabet)).join("");
    const keys = new Set<string>();
    while (keys.size < 60) keys.add(word(6) + pick(alphabet));
    await Promise.all(
      [...keys].map((key, n) =>
        world.catalog.objects.set(scope, "bucket", key, objectRecord(`file-${n}`))
      ),
    );
    for (let n = 0; n < 40; n++) {
      const request = {
        ...plain,
        prefix: word(3),
        delimiter: pick(["", "/", "/", "é", "//", "😀"]),
        startAfter: random() < 0.4 ? word(4) : "",
        maxKeys: pick([1, 2, 3, 7, 1_000]),
      };
      assert.deepEqual(
        await pages(world, request),
        model([...keys], request),
        JSON.stringify(request),
      );
    }
  });
}

Deno.test("a common prefix of thousands of keys is jumped over, not read", async () => {
  using world = await createWorld();
  for (let at = 0; at < 2_000; at += 200) {
    await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        world.catalog.objects.set(
          scope,
          "bucket",
          `big/${at + n}`,
          objectRecord(`file-${at + n}`),
        )),
    );
  }
  await world.catalog.objects.set(scope, "bucket", "z", objectRecord("file-z"));
  let read = 0;
  const list = world.kv.list.bind(world.kv);
  world.kv.list = (selector, options) => {
    read += options?.limit ?? 0;
    return list(selector, options);
  };
  const page = await world.objects.list(
    world.reach,
    { ...plain, delimiter: "/", maxKeys: 10 },
    quiet(),
  );
  assert.deepEqual(page.commonPrefixes, ["big/"]);
  assert.deepEqual(page.objects.map(({ key }) => key), ["z"]);
  assert.ok(read <= 50, `${read} records were read for two entries`);
});

Deno.test("native files are merged in key order, each once, only in buckets that show them", async () => {
  using world = await createWorld({ pageSize: 4 });
  const { catalog, cloud } = world;
  const native = Array.from(
    { length: 11 },
    (_, n) => `file-n${String(n * 7 % 11).padStart(2, "0")}`,
  );
  for (const id of native) cloud.addFile(id);
  cloud.addFile("file-result", { origin: "result" });
  cloud.addFile("file-ours");
  const keys = ["a", "file-n03a", "file-n05/x", "z"];
  await Promise.all(
    keys.map((key, n) =>
      catalog.objects.set(scope, "cloud-files", key, objectRecord(n ? `file-o${n}` : "file-ours"))
    ),
  );
  for (const delimiter of ["", "/"]) {
    for (const maxKeys of [1, 4, 15, 16, 1_000]) {
      for (const prefix of ["", "file-n", "file-n05"]) {
        const request = { ...plain, bucket: "cloud-files", maxKeys, delimiter, prefix };
        const expected = model([...keys, ...native], request);
        assert.deepEqual(await pages(world, request), expected, JSON.stringify(request));
      }
    }
  }
  assert.deepEqual(await pages(world, { ...plain, bucket: "other" }), [[]]);
  const blind = { ...world.reach, native: false };
  const page = await world.objects.list(blind, { ...plain, bucket: "cloud-files" }, quiet());
  assert.deepEqual(page.objects.map(({ key }) => key), keys);
});

Deno.test("native files beyond the first common prefix are found, however many it hides", async () => {
  using world = await createWorld({ pageSize: 4 });
  const native = ["d/1", "d/2", "d/3", "d/4", "d/5", "e/1", "e/2", "e/3", "e/4", "z"];
  for (const id of native) world.cloud.addFile(id);
  for (const maxKeys of [1, 2, 3, 10]) {
    const request = { ...plain, bucket: "cloud-files", delimiter: "/", maxKeys };
    assert.deepEqual(await pages(world, request), model(native, request));
  }
});

Deno.test("one page asks a provider for its files once, however many common prefixes it shows", async () => {
  using world = await createWorld({ pageSize: 1_000 });
  const { catalog, cloud } = world;
  for (let n = 0; n < 20; n++) {
    cloud.addFile(`file-${n}`);
    for (let m = 0; m < 30; m++) {
      const key = `${n}/${m}`;
      await catalog.objects.set(scope, "cloud-files", key, objectRecord(`file-o${key}`));
    }
  }
  const request = { ...plain, bucket: "cloud-files", delimiter: "/", maxKeys: 25 };
  const page = await world.objects.list(world.reach, request, quiet());
  assert.equal(page.objects.length + page.commonPrefixes.length, 25);
  assert.equal(cloud.calls.filter((call) => call === "files.list").length, 1);
});

Deno.test("a replaced file that is still at the provider is not a native file", async () => {
  using world = await createWorld();
  const { catalog, cloud } = world;
  cloud.addFile("file-old");
  cloud.addFile("file-new");
  await catalog.objects.set(scope, "bucket", "key", objectRecord("file-old"));
  await catalog.objects.set(scope, "bucket", "key", objectRecord("file-new"));
  assert.deepEqual(await pages(world, { ...plain, bucket: "cloud-files" }), [[]]);
  await catalog.objects.forget("cloud", fileId("file-old"));
  assert.deepEqual(await pages(world, { ...plain, bucket: "cloud-files" }), [["file-old"]]);
});

Deno.test("a page of common prefixes costs the page, not what lies below them", async () => {
  using world = await createWorld();
  const { catalog } = world;
  for (let folder = 0; folder < 40; folder++) {
    await Promise.all(Array.from({ length: 100 }, (_, n) => {
      const record = objectRecord(`file-${folder}-${n}`);
      return catalog.objects.set(scope, "bucket", `${folder}/${n}`, record);
    }));
  }
  let read = 0;
  const counting = {
    ...catalog.objects,
    async range(...args: Parameters<typeof catalog.objects.range>) {
      const found = await catalog.objects.range(...args);
      read += found.length;
      return found;
    },
  };
  const { memory } = catalog;
  const deps = {
    catalog: counting,
    memory,
    clock: trustedClock(() => world.time),
    showsNative: () => false,
  };
  const page = await list(deps, world.reach, { ...plain, delimiter: "/" }, quiet());
  assert.equal(page.commonPrefixes.length, 40);
  assert.ok(read < 40 * 5, `${read} of 4,000 objects were read`);
});

Deno.test("an object that was put under a native file's id is listed once, at every page size", async () => {
  using world = await createWorld();
  const { cloud, reach } = world;
  const native = "file-native";
  cloud.addFile(native);
  await world.objects.put(reach, { ...newObject(native), bucket: "cloud" }, quiet());
  for (const maxKeys of [1, 2, 1_000]) {
    const all = (await pages(world, { ...plain, bucket: "cloud", maxKeys })).flat();
    assert.deepEqual(all.filter((key) => key === native), [native]);
  }
});

Deno.test("a page that is asked for again is the same, until an object on it expires", async () => {
  using world = await createWorld();
  const { catalog } = world;
  const put = (key: string, more: Partial<ObjectEntry> = {}) =>
    catalog.objects.set(scope, "bucket", key, objectRecord(`file-${key}`, more));
  await put("a");
  await put("b", { expiresAt: world.time + 1_000 });
  let mark = 1;
  const memory = createReadMemory({ count: () => mark });
  const { objects } = catalog;
  const clock = trustedClock(() => world.time);
  const deps = { catalog: objects, memory, clock, showsNative: () => false };
  const page = () => list(deps, world.reach, plain, quiet());
  const keysOf = async () => (await page()).objects.map(({ key }) => key);
  const first = await page();
  assert.equal(await page(), first);
  const other = await list(deps, world.reach, { ...plain, startAfter: "a" }, quiet());
  assert.deepEqual(other.objects.map(({ key }) => key), ["b"]);
  world.time += 1_000;
  assert.deepEqual(await keysOf(), ["a"]);
  await put("c");
  mark++;
  assert.deepEqual(await keysOf(), ["a", "c"]);
});

Deno.test("a page among many expired objects forgets some, reads few at a time, and ends with its client", async () => {
  using world = await createWorld();
  const put = (key: string, more: Partial<ObjectEntry> = {}) =>
    world.catalog.objects.set(scope, "bucket", key, objectRecord(`file-${key}`, more));
  for (let n = 0; n < 250; n++) await put(`a${n}`, { expiresAt: world.time });
  await put("b");
  const { objects } = world.catalog;
  let ranges = 0;
  let seen = () => {};
  const catalog = {
    ...objects,
    range: (...request: Parameters<typeof objects.range>) => {
      ranges++;
      seen();
      return objects.range(...request);
    },
  };
  let mark = 0;
  const memory = createReadMemory({ count: () => mark++ });
  const clock = trustedClock(() => world.time);
  const deps = { catalog, memory, clock, showsNative: () => false };
  const stored = async () =>
    (await objects.range(scope, "bucket", new Uint8Array(), undefined, 999)).length;
  for (const left of [151, 51, 1]) {
    ranges = 0;
    const page = await list(deps, world.reach, { ...plain, maxKeys: 1 }, quiet());
    assert.deepEqual(page.objects.map(({ key }) => key), ["b"]);
    assert.equal(page.next, undefined);
    assert.ok(ranges <= 5, `${ranges} reads`);
    assert.equal(await stored(), left);
  }
  for (let n = 0; n < 250; n++) await put(`a${n}`, { expiresAt: world.time });
  const gone = new AbortController();
  seen = () => gone.abort(new Error("the client has gone"));
  ranges = 0;
  await assert.rejects(
    list(deps, world.reach, { ...plain, maxKeys: 1 }, gone.signal),
    /the client has gone/,
  );
  assert.equal(ranges, 1);
});
