import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Failure } from "../../codecs/failure.ts";
import { createPartSpool } from "../../objects/part_spool.ts";
import { temporaryFolder } from "../catalog/memory.ts";

const upload = "0".repeat(32);
const holder = { tenant: "a", account: "x" };
const other = { tenant: "b", account: "y" };
/** Ten bytes for whoever comes first, and none beside them. */
const room = { shared: 10, own: 0, most: 10 };
const stream = (text: string) => new Blob([text]).stream();
const isCode = (code: string) => (error: unknown) =>
  error instanceof Failure && (error.details.s3 ?? error.kind) === code;

async function textOf(body: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

function names(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

Deno.test("parts are read back in the order that is asked for, whatever order they came in", async () => {
  await using folder = await temporaryFolder();
  const spool = createPartSpool({ folder: folder.path });
  const texts = { "2-b": "world", "1-a": "hello ", "3-c": "" };
  for (const [file, text] of Object.entries(texts)) {
    const md5 = await spool.write(upload, { file, bytes: text.length }, stream(text), holder);
    assert.equal(md5, createHash("md5").update(text).digest("hex"));
  }
  const parts = [{ file: "1-a", bytes: 6 }, { file: "3-c", bytes: 0 }, { file: "2-b", bytes: 5 }];
  assert.equal(await textOf(spool.read(upload, parts)), "hello world");
  assert.equal(await spool.has(upload, { file: "1-a", bytes: 6 }), true);
  assert.equal(await spool.has(upload, { file: "1-a", bytes: 7 }), false);
  assert.equal(await spool.has(upload, { file: "9-z", bytes: 6 }), false);
});

Deno.test("a reader that leaves in the middle leaves no file open", async () => {
  await using folder = await temporaryFolder();
  const spool = createPartSpool({ folder: folder.path });
  const text = "x".repeat(600_000);
  await spool.write(upload, { file: "1-a", bytes: text.length }, stream(text), holder);
  const reader = spool.read(upload, [{ file: "1-a", bytes: text.length }]).getReader();
  assert.ok((await reader.read()).value);
  await reader.cancel();
});

Deno.test("a part whose body breaks leaves nothing, and its room is free again", async () => {
  await using folder = await temporaryFolder();
  const spool = createPartSpool({ folder: folder.path, room });
  const broken = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(4)),
    pull: (controller) => controller.error(new Error("gone")),
  });
  await assert.rejects(spool.write(upload, { file: "1-a", bytes: 8 }, broken, holder), /gone/);
  assert.deepEqual(names(`${folder.path}/${upload}`), []);
  await spool.write(upload, { file: "1-b", bytes: 10 }, stream("0123456789"), holder);
});

Deno.test("over its bound the spool says SlowDown, and cancels the body", async () => {
  await using folder = await temporaryFolder();
  const spool = createPartSpool({ folder: folder.path, room });
  await spool.write(upload, { file: "1-a", bytes: 6 }, stream("123456"), holder);
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
  const over = spool.write(upload, { file: "2-b", bytes: 5 }, body, holder);
  await assert.rejects(over, isCode("SlowDown"));
  assert.equal(cancelled, true);
  await spool.removeAll(upload);
  await spool.write(upload, { file: "2-b", bytes: 10 }, stream("0123456789"), holder);
});

Deno.test("what other gateways wrote counts once it was measured", async () => {
  await using folder = await temporaryFolder();
  const one = createPartSpool({ folder: folder.path, room });
  const two = createPartSpool({ folder: folder.path, room });
  await one.write(upload, { file: "1-a", bytes: 6 }, stream("123456"), holder);
  await two.measure();
  const over = two.write(upload, { file: "2-b", bytes: 5 }, stream("12345"), holder);
  await assert.rejects(over, isCode("SlowDown"));
  await one.removeAll(upload);
  await two.measure();
  await two.write(upload, { file: "2-b", bytes: 5 }, stream("12345"), holder);
});

Deno.test("only old files of parts that are not being written are strays", async () => {
  await using folder = await temporaryFolder();
  const spool = createPartSpool({ folder: folder.path });
  await Deno.mkdir(`${folder.path}/reads`);
  await spool.write(upload, { file: "1-a", bytes: 1 }, stream("1"), holder);
  await spool.write(upload, { file: "2-b", bytes: 1 }, stream("1"), holder);
  await Deno.writeTextFile(`${folder.path}/${upload}/note.txt`, "not ours");
  for (const name of ["1-a", "note.txt"]) {
    await Deno.utime(`${folder.path}/${upload}/${name}`, 1, 1);
  }
  assert.deepEqual(await spool.uploads(), [upload]);
  assert.deepEqual(await spool.strays(upload, 10_000), ["1-a"]);
  assert.deepEqual(await spool.strays("1".repeat(32), 10_000), []);
});

Deno.test("a disk that fails is reported as such, with what the operator can do", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/file`, "");
  const spool = createPartSpool({ folder: `${folder.path}/file` });
  const write = spool.write(upload, { file: "1-a", bytes: 1 }, stream("1"), holder);
  await assert.rejects(write, isCode("unavailable"));
  const gone = createPartSpool({ folder: folder.path });
  const read = textOf(gone.read(upload, [{ file: "1-a", bytes: 1 }]));
  await assert.rejects(read, isCode("unavailable"));
});

Deno.test("a temporary spool takes no disk before its first part, and none after its end", async () => {
  const spool = createPartSpool();
  await spool.measure();
  assert.deepEqual(await spool.uploads(), []);
  await spool.write(upload, { file: "1-a", bytes: 1 }, stream("1"), holder);
  assert.deepEqual(await spool.uploads(), [upload]);
  await spool.close();
  assert.deepEqual(await spool.uploads(), []);
});

/** A body that gives these bytes and then stands still until it is cancelled. */
function still(bytes: number): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(bytes)) });
}

Deno.test("what counts is what has come, not what is declared", async () => {
  await using folder = await temporaryFolder();
  const spool = createPartSpool({ folder: folder.path, room: { shared: 100, own: 0, most: 100 } });
  const abort = new AbortController();
  const stalled = Array.from({ length: 11 }, (_, n) => {
    const body = still(1).pipeThrough(new TransformStream(), { signal: abort.signal });
    return spool.write(upload, { file: `${n + 1}-a`, bytes: 90 }, body, holder);
  });
  const settled = Promise.allSettled(stalled);
  await spool.write("1".repeat(32), { file: "1-b", bytes: 50 }, stream("x".repeat(50)), other);
  abort.abort(new Error("gone"));
  assert.ok((await settled).every(({ status }) => status === "rejected"));
  assert.deepEqual(names(`${folder.path}/${upload}`), []);
});

Deno.test("a part that finds the disk full on its way is refused, and leaves nothing", async () => {
  await using folder = await temporaryFolder();
  const spool = createPartSpool({ folder: folder.path, room });
  const first = Promise.withResolvers<void>();
  const late = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await first.promise;
      controller.enqueue(new Uint8Array(6));
      controller.close();
    },
  }, { highWaterMark: 0 });
  const refused = spool.write(upload, { file: "1-a", bytes: 6 }, late, holder);
  await spool.write(upload, { file: "2-b", bytes: 6 }, stream("123456"), holder);
  first.resolve();
  await assert.rejects(refused, isCode("SlowDown"));
  assert.deepEqual(names(`${folder.path}/${upload}`), ["2-b"]);
});

Deno.test("a tenant that fills the disk leaves the others what is their own", async () => {
  await using folder = await temporaryFolder();
  const shares = { shared: 10, own: 3, most: 16 };
  const spool = createPartSpool({ folder: folder.path, room: shares });
  await spool.write(upload, { file: "1-a", bytes: 10 }, stream("0123456789"), holder);
  const more = spool.write(upload, { file: "2-a", bytes: 1 }, stream("1"), holder);
  await assert.rejects(more, isCode("SlowDown"));
  await spool.write("1".repeat(32), { file: "1-b", bytes: 3 }, stream("123"), other);
  // Another process on the same disk knows whose parts they are from the catalog.
  const second = createPartSpool({ folder: folder.path, room: shares });
  await second.measure(new Map([[upload, holder], ["1".repeat(32), other]]));
  const again = second.write(upload, { file: "3-a", bytes: 1 }, stream("1"), holder);
  await assert.rejects(again, isCode("SlowDown"));
  const third = { tenant: "c", account: "z" };
  await second.write("2".repeat(32), { file: "1-c", bytes: 3 }, stream("123"), third);
});
