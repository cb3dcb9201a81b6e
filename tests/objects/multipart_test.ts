import assert from "node:assert/strict";
import { trustedClock } from "../../runtime/clock.ts";
import { Failure } from "../../codecs/failure.ts";
import type { Multipart, NewPart } from "../../objects/multipart.ts";
import { createMultipart } from "../../objects/multipart.ts";
import { createPartSpool } from "../../objects/part_spool.ts";
import type { Reach } from "../../reach/reach.ts";
import { type OpenCatalog, temporaryFolder } from "../catalog/memory.ts";
import { gate } from "../double.ts";
import { createWorld, newObject, type ObjectWorld, quiet, uncounted } from "./world.ts";

const mib = 2 ** 20;
const name = { bucket: "bucket", key: "key" };
const isCode = (code: string) => (error: unknown) =>
  error instanceof Failure && (error.details.s3 ?? error.kind) === code;

interface UploadWorld extends ObjectWorld, AsyncDisposable {
  readonly multipart: Multipart;
  readonly reach: Reach;
  /** Folders of uploads on disk, and files in them. */
  disk(): string[];
}

/** Uploads over a provider in memory whose files may have 12 MiB, and a spool in a folder. */
async function createUploadWorld(
  folder: string,
  options: { instance?: string; beside?: UploadWorld; catalog?: OpenCatalog } = {},
): Promise<UploadWorld> {
  const { beside, instance = "one" } = options;
  const world = await createWorld({
    instance,
    ...(beside && { cloud: beside.cloud, catalog: beside }),
  });
  const { provider } = world.cloud;
  const accounts = provider.accounts.map((account) => ({
    ...account,
    ...(account.files && { files: { ...account.files, maxBytes: 12 * mib } }),
  }));
  const reach: Reach = { ...world.reach, provider: { ...provider, accounts } };
  const multipart = createMultipart({
    catalog: world.catalog.uploads,
    spool: createPartSpool({ folder }),
    now: () => world.time,
    clock: trustedClock(() => world.time),
    randomBytes: (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
    instance,
    quota: uncounted,
    put: world.objects.put,
    postponed: (what) => world.postponed.push(what),
  });
  return Object.assign(world, {
    multipart,
    reach,
    disk() {
      const folders = [...Deno.readDirSync(folder)].filter((one) => one.isDirectory)
        .map((one) => one.name);
      return folders.flatMap((one) => [
        one,
        ...[...Deno.readDirSync(`${folder}/${one}`)].map((file) => `${one}/${file.name}`),
      ]);
    },
    async [Symbol.asyncDispose]() {
      await multipart.close();
      if (!beside) world[Symbol.dispose]();
    },
  });
}

function open({ multipart, reach }: UploadWorld): Promise<string> {
  const described = { contentType: "application/jsonl", headers: {}, metadata: { a: "b" } };
  return multipart.create(reach, { ...name, ...described });
}

const newPart = (number: number, text: string): NewPart => ({
  number,
  bytes: text.length,
  body: new Blob([text]).stream(),
  checksums: () => ({}),
});

async function send(world: UploadWorld, uploadId: string, number: number, text: string) {
  const upload = await world.multipart.open(world.reach, { ...name, uploadId });
  const { md5 } = await world.multipart.putPart(upload, newPart(number, text));
  return { number, etag: md5, checksums: {} };
}

const completion = (uploadId: string, parts: Awaited<ReturnType<typeof send>>[]) => ({
  ...name,
  uploadId,
  parts,
  condition: {},
  checksums: {},
});

Deno.test("an object in parts is unseen until it is complete, and then in one piece", async () => {
  await using folder = await temporaryFolder();
  await using world = await createUploadWorld(folder.path);
  const { multipart, objects, reach, cloud } = world;
  const id = await open(world);
  const last = await send(world, id, 9, "last\n");
  const first = await send(world, id, 2, "x".repeat(5 * mib));
  assert.equal(await objects.find(reach, name, quiet()), undefined);
  assert.deepEqual(cloud.calls, []);
  const record = await multipart.complete(reach, completion(id, [first, last]));
  assert.deepEqual([record.bytes, record.metadata], [5 * mib + 5, { a: "b" }]);
  assert.equal(cloud.files.get(record.file)?.text, `${"x".repeat(5 * mib)}last\n`);
  assert.deepEqual((await objects.find(reach, name, quiet()))?.record, record);
  assert.deepEqual(world.disk(), []);
  assert.equal(objects.leftNothing(), true);
});

Deno.test("only the parts that Complete names are in the object", async () => {
  await using folder = await temporaryFolder();
  await using world = await createUploadWorld(folder.path);
  const id = await open(world);
  await send(world, id, 1, "unused");
  const wanted = await send(world, id, 2, "wanted");
  const record = await world.multipart.complete(world.reach, completion(id, [wanted]));
  assert.equal(world.cloud.files.get(record.file)?.text, "wanted");
});

Deno.test("Completes that race, or come again, are one put and one answer", async () => {
  await using folder = await temporaryFolder();
  await using world = await createUploadWorld(folder.path);
  const { multipart, reach, cloud } = world;
  const id = await open(world);
  const part = await send(world, id, 1, "{}\n");
  const asked = completion(id, [part]);
  const answers = await Promise.all([1, 2, 3].map(() => multipart.complete(reach, asked)));
  answers.push(await multipart.complete(reach, asked));
  assert.equal(new Set(answers.map(({ file }) => file)).size, 1);
  assert.deepEqual(cloud.calls, ["files.put"]);
  const elsewhere = { ...asked, key: "other" };
  await assert.rejects(multipart.complete(reach, elsewhere), isCode("NoSuchUpload"));
});

Deno.test("a Complete that the provider refuses leaves the upload open for the next", async () => {
  await using folder = await temporaryFolder();
  await using world = await createUploadWorld(folder.path);
  const { multipart, reach, cloud } = world;
  const id = await open(world);
  const part = await send(world, id, 1, "{}\n");
  cloud.before = () => {
    throw new Failure("unavailable", "Not now");
  };
  const asked = completion(id, [part]);
  await assert.rejects(multipart.complete(reach, asked), isCode("unavailable"));
  cloud.before = () => {};
  const again = await send(world, id, 1, "{} \n");
  const record = await multipart.complete(reach, completion(id, [again]));
  assert.equal(cloud.files.get(record.file)?.text, "{} \n");
});

Deno.test("a Complete whose condition fails leaves the object as it is and the upload open", async () => {
  await using folder = await temporaryFolder();
  await using world = await createUploadWorld(folder.path);
  const { multipart, objects, reach, cloud } = world;
  await objects.put(reach, newObject("key", "old"), quiet());
  const id = await open(world);
  const part = await send(world, id, 1, "new");
  const asked = { ...completion(id, [part]), condition: { absent: true } };
  await assert.rejects(multipart.complete(reach, asked), isCode("precondition"));
  assert.deepEqual([...cloud.files.values()].map(({ text }) => text), ["old"]);
  await multipart.complete(reach, completion(id, [part]));
  assert.deepEqual([...cloud.files.values()].map(({ text }) => text), ["new"]);
});

Deno.test("while an upload is being completed no part comes and it cannot be aborted", async () => {
  await using folder = await temporaryFolder();
  await using world = await createUploadWorld(folder.path);
  const { multipart, reach, cloud } = world;
  const id = await open(world);
  const part = await send(world, id, 1, "{}\n");
  world.time += 8 * 24 * 3_600_000;
  const held = gate();
  cloud.before = (call) => call === "files.put" ? held.wait() : undefined;
  const done = multipart.complete(reach, completion(id, [part]));
  await held.reached;
  await assert.rejects(send(world, id, 2, "late"), isCode("conflict"));
  await assert.rejects(multipart.abort(reach, { ...name, uploadId: id }), isCode("conflict"));
  await using other = await createUploadWorld(folder.path, { instance: "two", beside: world });
  other.time = world.time;
  await assert.rejects(
    other.multipart.complete(reach, completion(id, [part])),
    isCode("unavailable"),
  );
  // Neither does a sweep, however old the upload is.
  await multipart.sweep(quiet());
  held.open();
  assert.equal((await done).bytes, 3);
  assert.equal(world.disk().length, 0);
});

Deno.test("a gateway that ends breaks off what it completes, and the next one completes it", async () => {
  await using folder = await temporaryFolder();
  await using world = await createUploadWorld(folder.path);
  const { multipart, reach, cloud } = world;
  const id = await open(world);
  const part = await send(world, id, 1, "{}\n");
  const started = Promise.withResolvers<void>();
  cloud.before = async (call, _, signal) => {
    if (call !== "files.put") return;
    started.resolve();
    await new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason), { once: true })
    );
  };
  const broken = assert.rejects(
    multipart.complete(reach, completion(id, [part])),
    isCode("unavailable"),
  );
  await started.promise;
  await multipart.close();
  await broken;
  cloud.before = () => {};
  await using other = await createUploadWorld(folder.path, { instance: "two", beside: world });
  assert.equal((await other.multipart.complete(reach, completion(id, [part]))).bytes, 3);
});

Deno.test("an aborted upload leaves nothing, and a part under way then is refused", async () => {
  await using folder = await temporaryFolder();
  await using world = await createUploadWorld(folder.path);
  const { multipart, reach, cloud } = world;
  const uploadId = await open(world);
  await send(world, uploadId, 1, "{}\n");
  const upload = await multipart.open(reach, { ...name, uploadId });
  const pipe = new TransformStream<Uint8Array, Uint8Array>();
  const writer = pipe.writable.getWriter();
  const late = multipart.putPart(upload, { ...newPart(2, "12345"), body: pipe.readable });
  const refused = assert.rejects(late, isCode("NoSuchUpload"));
  await writer.write(new TextEncoder().encode("12"));
  await multipart.abort(reach, { ...name, uploadId });
  await writer.write(new TextEncoder().encode("345"));
  await writer.close();
  await refused;
  await assert.rejects(multipart.abort(reach, { ...name, uploadId }), isCode("NoSuchUpload"));
  await multipart.sweep(quiet());
  assert.deepEqual(world.disk(), []);
  assert.deepEqual(cloud.calls, []);
});

Deno.test("parts over the provider's limit are refused before their bytes are read", async () => {
  await using folder = await temporaryFolder();
  await using world = await createUploadWorld(folder.path);
  const uploadId = await open(world);
  await send(world, uploadId, 1, "x".repeat(8 * mib));
  const upload = await world.multipart.open(world.reach, { ...name, uploadId });
  let asked = false;
  const body = new ReadableStream<Uint8Array>({ pull: () => void (asked = true) }, {
    highWaterMark: 0,
  });
  const over = world.multipart.putPart(upload, { ...newPart(2, ""), bytes: 4 * mib + 1, body });
  await assert.rejects(over, isCode("too-large"));
  assert.equal(asked, false);
  // In the place of the first it fits.
  await send(world, uploadId, 1, "x".repeat(12 * mib));
});

Deno.test("a part whose file is lost is named, and can be sent again", async () => {
  await using folder = await temporaryFolder();
  await using world = await createUploadWorld(folder.path);
  const { multipart, reach } = world;
  const id = await open(world);
  const part = await send(world, id, 1, "{}\n");
  await Deno.remove(`${folder.path}/${id}`, { recursive: true });
  const lost = (error: unknown) =>
    isCode("InvalidPart")(error) && (error as Failure).details.fields?.["PartNumber"] === "1";
  await assert.rejects(multipart.complete(reach, completion(id, [part])), lost);
  await send(world, id, 1, "{}\n");
  assert.equal((await multipart.complete(reach, completion(id, [part]))).bytes, 3);
});

Deno.test("the sweep removes old uploads, and what crashes left, and nothing that is alive", async () => {
  await using folder = await temporaryFolder();
  await using world = await createUploadWorld(folder.path);
  const { multipart, reach, catalog } = world;
  // Files tell the time of the real clock.
  world.time = Date.now() - 8 * 24 * 3_600_000;
  const old = await open(world);
  await send(world, old, 1, "old");
  world.time = Date.now();
  const live = await open(world);
  const part = await send(world, live, 1, "live");
  const crashed = await open(world);
  await send(world, crashed, 1, "crashed");
  const address = { scope: { tenant: "default", provider: "cloud" }, ...name };
  await catalog.uploads.remove({ ...address, id: crashed }, world.time);
  // A part that was never recorded, and one that is being written by another gateway.
  await Deno.writeTextFile(`${folder.path}/${live}/2-lost`, "lost");
  await Deno.utime(`${folder.path}/${live}/2-lost`, 1, 1);
  await Deno.writeTextFile(`${folder.path}/${live}/3-others`, "others");
  await multipart.sweep(quiet());
  const files = world.disk();
  assert.equal(files.length, 3);
  assert.ok(files.every((file) => file.startsWith(live) && !file.endsWith("2-lost")));
  assert.equal(
    (await multipart.parts(await multipart.open(reach, { ...name, uploadId: live }), 0, 9))
      .parts.length,
    1,
  );
  await assert.rejects(multipart.open(reach, { ...name, uploadId: old }), isCode("NoSuchUpload"));
  assert.equal((await multipart.complete(reach, completion(live, [part]))).bytes, 4);
});

Deno.test("gateways that share catalog and folder share uploads, and spare each other's files", async () => {
  await using folder = await temporaryFolder();
  await using one = await createUploadWorld(folder.path);
  await using two = await createUploadWorld(folder.path, { instance: "two", beside: one });
  two.time = one.time = Date.now();
  const id = await open(one);
  const parts = [await send(two, id, 1, "x".repeat(5 * mib))];
  const upload = await one.multipart.open(one.reach, { ...name, uploadId: id });
  const pipe = new TransformStream<Uint8Array, Uint8Array>();
  const writer = pipe.writable.getWriter();
  const sending = one.multipart.putPart(upload, { ...newPart(2, "12345"), body: pipe.readable });
  await writer.write(new TextEncoder().encode("12"));
  await two.multipart.sweep(quiet());
  await writer.write(new TextEncoder().encode("345"));
  await writer.close();
  parts.push({ number: 2, etag: (await sending).md5, checksums: {} });
  const record = await two.multipart.complete(two.reach, completion(id, parts));
  assert.equal(record.bytes, 5 * mib + 5);
  assert.deepEqual(
    (await one.multipart.complete(one.reach, completion(id, parts))).file,
    record.file,
  );
});

Deno.test("an id that cannot be an upload's is not looked for", async () => {
  await using folder = await temporaryFolder();
  await using world = await createUploadWorld(folder.path);
  const { multipart, reach } = world;
  for (const uploadId of ["", "x".repeat(5_000), "../../etc", "A".repeat(32)]) {
    const missing = { ...name, uploadId };
    await assert.rejects(multipart.open(reach, missing), isCode("NoSuchUpload"));
    await assert.rejects(multipart.abort(reach, missing), isCode("NoSuchUpload"));
    const asked = { ...completion(uploadId, []), uploadId };
    await assert.rejects(multipart.complete(reach, asked), isCode("NoSuchUpload"));
  }
});
