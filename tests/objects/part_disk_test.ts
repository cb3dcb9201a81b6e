import assert from "node:assert/strict";
import { trustedClock } from "../../runtime/clock.ts";
import { Failure } from "../../codecs/failure.ts";
import { diskId } from "../../objects/disk_id.ts";
import { createMultipart } from "../../objects/multipart.ts";
import { createPartSpool } from "../../objects/part_spool.ts";
import { temporaryFolder } from "../catalog/memory.ts";
import { createWorld, type ObjectWorld, uncounted } from "./world.ts";

const name = { bucket: "bucket", key: "key" };
const elsewhere = (error: unknown) =>
  error instanceof Failure && error.kind === "unavailable" && /another machine/.test(error.message);

/** A gateway whose parts wait in a folder. */
function gateway(world: ObjectWorld, folder: string, instance: string) {
  return createMultipart({
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
}

Deno.test("an upload goes on where its parts are; elsewhere it is refused, listed and aborted", async () => {
  using world = await createWorld();
  const { reach, cloud, postponed } = world;
  await using home = await temporaryFolder();
  await using away = await temporaryFolder();
  const one = gateway(world, home.path, "one");
  const two = gateway(world, away.path, "two");
  const uploadId = await one.create(reach, {
    ...name,
    contentType: "application/jsonl",
    headers: {},
    metadata: {},
  });
  const part = (body: ReadableStream<Uint8Array>) => ({
    number: 1,
    bytes: 5,
    body,
    checksums: () => ({}),
  });
  let cancelled = false;
  const refused = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
  const upload = await two.open(reach, { ...name, uploadId });
  await assert.rejects(two.putPart(upload, part(refused)), elsewhere);
  assert.equal(cancelled, true);
  const { md5 } = await one.putPart(upload, part(new Blob(["12345"]).stream()));
  const completion = {
    ...name,
    uploadId,
    parts: [{ number: 1, etag: md5, checksums: {} }],
    condition: {},
    checksums: {},
  };
  assert.equal((await two.parts(upload, 0, 9)).parts.length, 1);
  await assert.rejects(two.complete(reach, completion), elsewhere);
  assert.equal(cloud.files.size, 0);
  // The refusal has let go of the upload: its own gateway is not kept waiting.
  const record = await one.complete(reach, completion);
  assert.equal(record.bytes, 5);
  // Once it is an object, any gateway tells so.
  assert.equal((await two.complete(reach, completion)).file, record.file);
  assert.deepEqual(postponed, []);
  await Promise.all([one.close(), two.close()]);
});

Deno.test("every process gets the same id for a folder, and another one for another", async () => {
  await using folder = await temporaryFolder();
  await using other = await temporaryFolder();
  const path = `${folder.path}/spool`;
  const ids = await Promise.all(Array.from({ length: 20 }, () => diskId(path)));
  assert.equal(new Set(ids).size, 1);
  assert.equal(await diskId(path), ids[0]);
  assert.notEqual(await diskId(other.path), ids[0]);
});

Deno.test("an id that another process is just writing is waited for", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/disk-id`, "");
  const asked = diskId(folder.path);
  const id = crypto.randomUUID();
  await Deno.writeTextFile(`${folder.path}/disk-id`, id);
  assert.equal(await asked, id);
});
