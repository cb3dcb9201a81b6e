import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { fileId } from "../../codecs/ids.ts";
import { read } from "../../objects/read.ts";
import type { ReadSpool } from "../../objects/read_spool.ts";
import type { ByteRange } from "../../providers/provider.ts";
import { jobRecord, scope } from "../catalog/memory.ts";
import { createWorld, keptOf, newObject, quiet } from "./world.ts";

/** A spool that says which ranges it was asked for. */
function listeningSpool() {
  const asked: unknown[] = [];
  const spool: ReadSpool = {
    async read(file, range, signal) {
      asked.push([file.source, file.id, file.bytes, range]);
      return (await file.open(range, signal)).body;
    },
    close: () => Promise.resolve(),
  };
  return { spool, asked };
}

Deno.test("a range goes through the spool, and one of everything to the provider as a whole", async () => {
  using world = await createWorld();
  const { objects, reach, cloud, catalog } = world;
  const record = await objects.put(reach, newObject("key", "0123456789"), quiet());
  const { spool, asked } = listeningSpool();
  const open = async (range?: ByteRange) => {
    cloud.calls.length = 0;
    const deps = {
      catalog: catalog.objects,
      held: { kept: keptOf(catalog), catalog: catalog.results, reads: spool },
    };
    const body = await read(deps, reach, { record }, range, quiet());
    await body.cancel();
    return cloud.calls.join();
  };
  for (const all of [undefined, { first: 0 }, { first: 0, last: 9 }, { first: 0, last: 99 }]) {
    assert.equal(await open(all), "files.read");
  }
  assert.deepEqual(asked, []);
  for (const part of [{ first: 1 }, { first: 0, last: 8 }, { first: 9, last: 99 }]) {
    assert.equal(await open(part), "files.open");
  }
  const source = '["cloud","main"]';
  const id = `["cloud","main","${record.file}"]`;
  assert.deepEqual(asked, [
    [source, id, 10, { first: 1, last: 9 }],
    [source, id, 10, { first: 0, last: 8 }],
    [source, id, 10, { first: 9, last: 9 }],
  ]);
});

Deno.test("an object whose file is gone at the provider is forgotten, also where a range finds out", async () => {
  using world = await createWorld();
  const { objects, reach, cloud, catalog } = world;
  const address = { bucket: "bucket", key: "key" };
  const { spool } = listeningSpool();
  for (const range of [undefined, { first: 1 }]) {
    await objects.put(reach, newObject("key", "0123456789"), quiet());
    const found = await objects.find(reach, address, quiet());
    assert.ok(found);
    cloud.files.clear();
    await assert.rejects(
      read(
        {
          catalog: catalog.objects,
          held: { kept: keptOf(catalog), catalog: catalog.results, reads: spool },
        },
        reach,
        found,
        range,
        quiet(),
      ),
      (error) => error instanceof Failure && error.kind === "not-found",
    );
    assert.equal(await objects.find(reach, address, quiet()), undefined);
  }
});

Deno.test("an object whose provider says in passing that it is gone is read, and not forgotten", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  const address = { bucket: "bucket", key: "key" };
  await objects.put(reach, newObject("key", "0123456789"), quiet());
  for (const times of [1, 2]) {
    let left = times;
    cloud.before = (call) => {
      const isRead = call === "files.read" || call === "files.open";
      if (isRead && left-- > 0) throw new Failure("not-found", "No such file", { gone: true });
    };
    for (const range of [undefined, { first: 3 }]) {
      const found = await objects.find(reach, address, quiet());
      assert.ok(found, `${times}`);
      const body = await objects.read(reach, found, range, quiet());
      assert.match(await new Response(body as BodyInit).text(), /3456789$/);
      left = times;
    }
  }
});

Deno.test("a file that a provider made for a tenant's job is not shown to another tenant as native", async () => {
  using world = await createWorld();
  const { objects, reach, cloud, catalog } = world;
  cloud.addFile("file-out", { origin: "result" });
  const others = { ...reach, tenant: "other" };
  const address = { bucket: "any", key: "file-out" };
  assert.ok(await objects.find(others, address, quiet()), "nobody's file is seen");
  const job = jobRecord(1_000);
  await catalog.jobs.adopt(scope, job, {});
  await catalog.jobs.update(scope, job.id, (old) => ({ ...old, results: [fileId("file-out")] }));
  assert.ok(await objects.find(reach, address, quiet()));
  assert.equal(await objects.find(others, address, quiet()), undefined);
  assert.equal(await objects.findFile(others, "file-out", quiet()), undefined);
  const ifMatch = ["file-out"];
  assert.equal(await objects.find(others, { ...address, key: "k", ifMatch }, quiet()), undefined);
});
