import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { fileId } from "../../codecs/ids.ts";
import { remove } from "../../objects/remove.ts";
import { jobRecord, scope } from "../catalog/memory.ts";
import { textOf } from "../providers/harness.ts";
import { createWorld, keptOf, newObject, quiet } from "./world.ts";

const address = { bucket: "bucket", key: "key" };

Deno.test("deleting takes name and provider file away; once more is not an error", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  await objects.put(reach, newObject("key"), quiet());
  await objects.remove(reach, address, quiet());
  await objects.remove(reach, address, quiet());
  assert.equal(cloud.files.size, 0);
  assert.equal(await objects.find(reach, address, quiet()), undefined);
});

Deno.test("an object stays whose deletion the provider refuses", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  await objects.put(reach, newObject("key"), quiet());
  cloud.before = () => Promise.reject(new Failure("denied", "No"));
  await assert.rejects(objects.remove(reach, address, quiet()), { kind: "denied" });
  assert.ok(await objects.find(reach, address, quiet()));
});

Deno.test("a deletion whose outcome is not known is brought to its end by the sweep", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  await objects.put(reach, newObject("key"), quiet());
  cloud.after = () => Promise.reject(new Failure("unavailable", "Silence"));
  await assert.rejects(objects.remove(reach, address, quiet()), { kind: "unavailable" });
  cloud.after = () => {};
  await objects.sweep(0, quiet());
  assert.equal(await objects.find(reach, address, quiet()), undefined);
  assert.equal(cloud.files.size, 0);
});

Deno.test("a deletion goes on when its client has gone", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  await objects.put(reach, newObject("key"), quiet());
  const client = new AbortController();
  cloud.before = (_call, _what, signal) => {
    client.abort();
    signal.throwIfAborted();
  };
  await objects.remove(reach, address, client.signal);
  assert.equal(await objects.find(reach, address, quiet()), undefined);
  assert.equal(cloud.files.size, 0);
});

Deno.test("the file of a running job outlives its name until the sweep after the job", async () => {
  using world = await createWorld();
  const { objects, reach, cloud, catalog } = world;
  const { file } = await objects.put(reach, newObject("key"), quiet());
  const job = jobRecord(1_000, { file });
  await catalog.jobs.adopt(scope, job, {});
  await objects.remove(reach, address, quiet());
  assert.equal(await objects.find(reach, address, quiet()), undefined);
  await objects.sweep(0, quiet());
  assert.ok(cloud.files.has(file));
  await catalog.jobs.update(scope, job.id, (old) => ({ ...old, status: "Failed" }));
  await objects.sweep(0, quiet());
  assert.equal(cloud.files.size, 0);
});

Deno.test("native files are read and deleted by id, by callers that may see them", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  cloud.addFile("file-native");
  const byId = { bucket: "any", key: "dir/file-native" };
  assert.equal(await objects.find({ ...reach, native: false }, byId, quiet()), undefined);
  const found = await objects.find(reach, byId, quiet());
  assert.ok(found && !found.name);
  assert.equal(await textOf(await objects.read(reach, found, undefined, quiet())), "{}\n");
  await objects.remove({ ...reach, native: false }, byId, quiet());
  assert.equal(cloud.files.size, 1);
  await objects.remove(reach, byId, quiet());
  assert.equal(cloud.files.size, 0);
});

Deno.test("another tenant's file cannot be reached by its id", async () => {
  using world = await createWorld();
  const { objects, reach } = world;
  const { file } = await objects.put(reach, newObject("key"), quiet());
  const other = { ...reach, tenant: "other" };
  assert.equal(await objects.find(other, { bucket: "bucket", key: file }, quiet()), undefined);
  assert.equal(await objects.findFile(other, file, quiet()), undefined);
  await objects.remove(other, { bucket: "bucket", key: "x", ifMatch: [file] }, quiet());
  assert.ok(await objects.find(reach, address, quiet()));
});

Deno.test("an object whose file vanished at the provider is forgotten when it is read", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  const { file } = await objects.put(reach, newObject("key"), quiet());
  cloud.files.delete(file);
  const found = await objects.find(reach, address, quiet());
  assert.ok(found);
  await assert.rejects(objects.read(reach, found, undefined, quiet()), { kind: "not-found" });
  assert.equal(await objects.find(reach, address, quiet()), undefined);
});

Deno.test("an expired object is neither found nor listed, and lists forget it", async () => {
  using world = await createWorld();
  const { objects, reach, cloud, catalog } = world;
  const put = reach.provider.accounts[0]?.files?.put;
  assert.ok(put);
  const account = { ...reach.provider.accounts[0], name: "main", weight: 1 };
  const files = account.files;
  assert.ok(files && account.batches);
  const expiring = {
    ...reach,
    provider: {
      ...reach.provider,
      accounts: [{
        ...account,
        batches: account.batches,
        files: {
          ...files,
          put: async (...parameters: Parameters<typeof put>) => ({
            ...await put(...parameters),
            expiresAt: new Date(world.time + 1_000),
          }),
        },
      }],
    },
  };
  for (const key of ["a", "c"]) await objects.put(expiring, newObject(key), quiet());
  await objects.put(reach, newObject("b"), quiet());
  const request = { bucket: "bucket", prefix: "", delimiter: "", maxKeys: 2, startAfter: "" };
  const keys = async () =>
    (await objects.list(reach, request, quiet())).objects.map(({ key }) => key);
  assert.deepEqual(await keys(), ["a", "b"]);
  world.time += 1_000;
  cloud.files.delete(fileId("file-0"));
  assert.equal(await objects.find(reach, { bucket: "bucket", key: "a" }, quiet()), undefined);
  assert.ok(await catalog.objects.get(scope, "bucket", "a"));
  assert.deepEqual(await keys(), ["b"]);
  assert.equal(await catalog.objects.get(scope, "bucket", "a"), undefined);
  assert.equal(await catalog.objects.file("cloud", fileId("file-0")), undefined);
});

Deno.test("the end of a key finds an object of another bucket to read, but not to delete", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  const { file } = await objects.put(reach, newObject("key"), quiet());
  const suggested = { bucket: "other", key: `folder/${file}` };
  assert.equal((await objects.find(reach, suggested, quiet()))?.record.file, file);
  await objects.remove(reach, suggested, quiet());
  await objects.remove(reach, { ...suggested, ifMatch: ["*"] }, quiet());
  assert.ok(cloud.files.has(file));
  await objects.remove(reach, { bucket: "bucket", key: `folder/${file}` }, quiet());
  assert.ok(!cloud.files.has(file), "in its own bucket the end of the key is enough");
});

Deno.test("a whole key that is an id, or If-Match with one, deletes in any bucket", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  const first = await objects.put(reach, newObject("first"), quiet());
  await objects.remove(reach, { bucket: "other", key: first.file }, quiet());
  const second = await objects.put(reach, newObject("second"), quiet());
  await objects.remove(reach, { bucket: "other", key: "x", ifMatch: [second.file] }, quiet());
  assert.equal(cloud.files.size, 0);
});

Deno.test("a file stays whose job begins while it is being deleted", async () => {
  using world = await createWorld();
  const { reach, cloud, catalog } = world;
  const { file } = await world.objects.put(reach, newObject("key"), quiet());
  const links = {
    ...catalog.links,
    // The job begins after deleting has looked for readers, and before the file is in the trash.
    async part(...args: Parameters<typeof catalog.links.part>) {
      await catalog.jobs.adopt(scope, jobRecord(1_000, { file }), {});
      return await catalog.links.part(...args);
    },
  };
  const deps = {
    catalog: catalog.objects,
    links,
    held: { kept: keptOf(catalog), catalog: catalog.results },
    now: () => world.time,
  };
  await remove(deps, reach, address, quiet());
  assert.ok(cloud.files.has(file));
  assert.ok(await catalog.objects.trashed(reach.provider.name, file), "it goes after the job");
});

Deno.test("a native file that a running job reads is hidden at once and deleted after the job", async () => {
  using world = await createWorld();
  const { objects, reach, cloud, catalog } = world;
  for (const [at, end] of (["Completed", "Failed", "Stopped"] as const).entries()) {
    const file = fileId(`file-native${at}`);
    cloud.addFile(file);
    const job = jobRecord(1_000 + at, { file });
    await catalog.jobs.adopt(scope, job, {});
    const named = [
      { bucket: "cloud-files", key: file },
      { bucket: "any", key: "x", ifMatch: [file] },
      { bucket: "any", key: `dir/${file}` },
    ][at];
    assert.ok(named);
    await objects.remove(reach, named, quiet());
    assert.equal(await objects.find(reach, named, quiet()), undefined);
    await objects.sweep(0, quiet());
    assert.ok(cloud.files.has(file), "the job still reads it");
    await catalog.jobs.update(scope, job.id, (old) => ({ ...old, status: end }));
    await objects.release(reach.provider, file, quiet());
    assert.ok(!cloud.files.has(file));
  }
});

Deno.test("results of a job are neither read around a limit to buckets nor deleted by their id", async () => {
  using world = await createWorld();
  const { objects, reach, cloud, catalog } = world;
  const out = fileId("file-out");
  cloud.addFile(out, { origin: "result" });
  const job = jobRecord(1_000);
  await catalog.jobs.adopt(scope, job, {});
  const limited = { ...reach, mayUse: (bucket: string) => bucket === "team-a" };
  for (const settled of [false, true]) {
    if (settled) {
      await catalog.jobs.update(scope, job.id, (old) => ({ ...old, results: [out] }));
    }
    for (
      const named of [
        { bucket: "team-a", key: out },
        { bucket: "team-a", key: `dir/${out}` },
        { bucket: "team-a", key: "x", ifMatch: [out] },
      ]
    ) {
      assert.equal(await objects.find(limited, named, quiet()), undefined);
      assert.equal(await objects.findFile(limited, out, quiet()), undefined);
      await objects.remove(limited, named, quiet());
    }
  }
  // The bucket named like the provider holds results of native batches, and no others.
  const inProviders = { ...reach, mayUse: (bucket: string) => bucket === "cloud" };
  const byId = { bucket: "cloud", key: out };
  assert.equal(await objects.find(inProviders, byId, quiet()), undefined);
  for (const one of [reach, { ...reach, tenant: "other" }]) {
    await objects.remove(one, { bucket: "any", key: out }, quiet());
  }
  assert.ok(cloud.files.has(out));
});
