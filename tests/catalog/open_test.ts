import assert from "node:assert/strict";
import { openCatalogKv, type OpenDeps } from "../../catalog/open.ts";
import { Failure } from "../../codecs/failure.ts";
import { sleep, temporaryFolder } from "./memory.ts";

/** A folder with a catalog of 2,000 entries that was closed properly. */
async function filledCatalog() {
  const folder = await temporaryFolder();
  const path = `${folder.path}/catalog.kv`;
  const opened = await openCatalogKv(path, { sleep });
  for (let at = 0; at < 2_000; at += 500) {
    const step = opened.kv.atomic();
    for (let n = at; n < at + 500; n++) step.set(["filler", n], "x".repeat(500));
    await step.commit();
  }
  await opened.close();
  return { ...folder, path };
}

/** The sentence with which a catalog is refused. */
async function refusal(path: string, more: Partial<OpenDeps> = {}): Promise<string> {
  try {
    const { close } = await openCatalogKv(path, { sleep, ...more });
    await close();
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    return error.message;
  }
  assert.fail("The catalog was opened");
}

/** Overwrites pages in the middle of a file. */
async function damage(path: string): Promise<void> {
  using file = await Deno.open(path, { write: true });
  await file.seek(20 * 4_096, Deno.SeekMode.Start);
  await file.write(new Uint8Array(60 * 4_096).fill(0xa5));
}

const wayOut =
  /move catalog\.kv, .* out of the folder \/\S+; .*`deno task catalog import FILE`.*`deno task catalog rebuild`/;

Deno.test("a catalog is opened again and again, also by two at once", async () => {
  await using folder = await filledCatalog();
  const one = await openCatalogKv(folder.path, { sleep });
  const two = await openCatalogKv(folder.path, { sleep });
  assert.equal((await two.kv.get(["filler", 7])).value, "x".repeat(500));
  await one.close();
  await two.close();
  assert.equal(await Deno.readTextFile(`${folder.path}.mark`), "closed\n");
});

Deno.test("overwritten pages are found before Deno KV meets them", async () => {
  await using folder = await filledCatalog();
  await damage(folder.path);
  const before = await Deno.readFile(folder.path);
  const sentence = await refusal(folder.path);
  assert.match(sentence, /^Cannot open the catalog \S+catalog\.kv: Tree \d+ page \d+: /);
  assert.match(sentence, wayOut);
  assert.deepEqual(await Deno.readFile(folder.path), before);
});

Deno.test("a file that was cut short, or is a text, is refused with the ways out", async () => {
  await using folder = await filledCatalog();
  for (const length of [500_000, 5_000, 60]) {
    await Deno.truncate(folder.path, length);
    const sentence = await refusal(folder.path);
    assert.match(sentence, /^Cannot open the catalog \S+: database disk image is malformed\. /);
    assert.match(sentence, wayOut);
  }
  await Deno.writeTextFile(folder.path, "no catalog ".repeat(1_000));
  assert.match(
    await refusal(folder.path),
    /: file is not a database\. .*deno task catalog rebuild/,
  );
});

Deno.test("a folder in the catalog's place, and one that takes no files, are reported", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/catalog.kv`);
  assert.match(
    await refusal(`${folder.path}/catalog.kv`),
    /: it is a folder\. See that the folder \S+ can be written to, .*BATCHWAY_DATA names another/,
  );
  await Deno.writeTextFile(`${folder.path}/file`, "");
  assert.match(await refusal(`${folder.path}/file/data/catalog.kv`), /BATCHWAY_DATA names another/);
});

Deno.test({
  name: "a folder that cannot be written to is reported",
  // There even the superuser of a test machine makes no file.
  ignore: Deno.build.os !== "linux",
  async fn() {
    assert.match(
      await refusal("/proc/self/catalog.kv"),
      /^Cannot open the catalog \/proc\/self\/catalog\.kv: .*See that the folder \/proc\/self can be/,
    );
  },
});

Deno.test("a large file is looked through only after a process that was cut off", async () => {
  await using folder = await filledCatalog();
  const told: string[] = [];
  const large = { alwaysCheckedBytes: 1_000, report: (message: string) => void told.push(message) };
  await damage(folder.path);
  // Closed properly: nobody reads gigabytes at each start. The mark is of the process that is at it.
  await Deno.writeTextFile(`${folder.path}.mark`, "in use\n");
  assert.match(await refusal(folder.path, large), wayOut);
  assert.match(told.join(), /was not closed properly, and is looked through$/);
  // What was found once is found again.
  assert.match(await refusal(folder.path, large), wayOut);
});

Deno.test("a large file that was closed properly, or is in use, is not looked through", async () => {
  await using folder = await filledCatalog();
  const told: string[] = [];
  const large = { alwaysCheckedBytes: 1_000, report: (message: string) => void told.push(message) };
  const one = await openCatalogKv(folder.path, { sleep, ...large });
  assert.equal(await Deno.readTextFile(`${folder.path}.mark`), "in use\n");
  const two = await openCatalogKv(folder.path, { sleep, ...large });
  await two.close();
  assert.equal(await Deno.readTextFile(`${folder.path}.mark`), "in use\n");
  await one.close();
  assert.deepEqual(told, []);
});

Deno.test("who comes while another has the catalog for itself waits, and says so", async () => {
  await using folder = await filledCatalog();
  const alone = await openCatalogKv(folder.path, { sleep, alone: true });
  const waits = Promise.withResolvers<string>();
  const opening = openCatalogKv(folder.path, { sleep, report: waits.resolve });
  assert.match(
    await waits.promise,
    /^Another process has the catalog \S+ for itself: waiting for it$/,
  );
  await alone.close();
  await (await opening).close();
});
