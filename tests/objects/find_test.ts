import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { fileId } from "../../codecs/ids.ts";
import { objectRecord, scope } from "../catalog/memory.ts";
import { createWorld, quiet } from "./world.ts";

/** None of them looks like an id to the provider in memory, which knows its own by their beginning. */
const odd = ["plain", "a.jsonl", "id with=commas,too".replaceAll(" ", "-"), "x".repeat(1_000)];

for (const id of odd) {
  Deno.test(`what the catalog knows as an id names its object: ${id.slice(0, 30)}`, async () => {
    using world = await createWorld();
    const { objects, reach, catalog, cloud } = world;
    await catalog.objects.set(scope, "bucket", "dir/key", objectRecord(id));
    const byTag = await objects.find(
      reach,
      { bucket: "other", key: "label", ifMatch: [id] },
      quiet(),
    );
    assert.equal(byTag?.record.file, id);
    assert.equal(byTag?.name?.key, "dir/key");
    assert.equal((await objects.findFile(reach, id, quiet()))?.record.file, id);
    const byKey = await objects.find(reach, { bucket: "other", key: `some/${id}` }, quiet());
    assert.equal(byKey?.record.file, id);
    const other = await objects.find(
      { ...reach, tenant: "other" },
      { bucket: "bucket", key: id },
      quiet(),
    );
    assert.equal(other, undefined);
    assert.deepEqual(cloud.calls, []);
  });
}

Deno.test("a text that a provider refuses as no id of its own names no file", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  cloud.before = () => {
    throw new Failure("invalid", "file_id: Input should be a valid UUID");
  };
  assert.equal(await objects.findFile(reach, "file-odd", quiet()), undefined);
  cloud.before = () => {
    throw new Failure("unavailable", "down");
  };
  await assert.rejects(objects.findFile(reach, fileId("file-odd"), quiet()), Failure);
});

Deno.test("a native file whose id is too long for a key is named by its tag, and not listed", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  const [key, long] = [`file-${"k".repeat(1_019)}`, `file-${"l".repeat(1_020)}`];
  cloud.addFile(key);
  cloud.addFile(long);
  const page = await objects.list(reach, {
    bucket: "cloud-files",
    prefix: "",
    delimiter: "",
    startAfter: "",
    maxKeys: 10,
  }, quiet());
  assert.deepEqual(page.objects.map((object) => object.key), [key]);
  const found = await objects.find(
    reach,
    { bucket: "cloud-files", key: "label", ifMatch: [long] },
    quiet(),
  );
  assert.equal(found?.record.file, long);
});
