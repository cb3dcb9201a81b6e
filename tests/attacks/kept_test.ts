/** Objects that the gateway keeps itself: no ETag and no name of a blob leads to another tenant's. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { files } from "./operations.ts";
import type { Ask } from "./sign.ts";
import { comparable, withWorld } from "./world.ts";

const text = "id,name\n1,the owner's secret\n";
const etag = createHash("md5").update(text).digest("hex");
const keeping = { configuration: '{"objects": {}}' };

/** Names of all blobs below a folder. */
async function blobsIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await blobsIn(path));
    else if (name !== "disk-id") found.push(path);
  }
  return found;
}

Deno.test("a kept object of another tenant is found by no ETag and by no name of its blob", async () => {
  await withWorld(async (world) => {
    const { owner, other, limited } = world.keys;
    const path = `${files}/owner-bucket/table.csv`;
    assert.equal((await world.ask({ method: "PUT", path, body: text }, owner)).status, 200);
    const [blob = "", ...others] = await blobsIn(world.folder)
      .then((all) => all.filter((one) => one.includes(".objects/kept/")));
    assert.deepEqual(others, []);
    const name = blob.slice(blob.indexOf("kept/"));
    const last = name.slice(name.lastIndexOf("/") + 1);
    const guesses: readonly Ask[] = [
      ...["owner-bucket", "other-bucket"].flatMap((bucket) =>
        [etag, name, last, `x/${last}`, `..%2F..%2F${name}`, encodeURIComponent(blob)]
          .map((key): Ask => ({ method: "GET", path: `${files}/${bucket}/${key}` }))
      ),
      ...[etag, name, last].map((tag): Ask => ({
        method: "GET",
        path: `${files}/owner-bucket/absent`,
        headers: { "if-match": `"${tag}"` },
      })),
      ...[`owner-bucket/table.csv`, `owner-bucket/${etag}`, `owner-bucket/${name}`].map((
        source,
      ): Ask => ({
        method: "PUT",
        path: `${files}/other-bucket/copy`,
        headers: { "x-amz-copy-source": source },
      })),
    ];
    const before = await world.state();
    for (const key of [other, limited]) {
      for (const ask of guesses) {
        const answer = await world.ask(ask, key);
        const where = `${ask.method} ${ask.path} ${JSON.stringify(ask.headers)}`;
        assert.ok([400, 403, 404].includes(answer.status), `${answer.status} ${where}`);
        assert.ok(!answer.body.includes("secret"), where);
      }
    }
    for (const tag of [etag, name, last]) {
      for (const method of ["DELETE", "GET"]) {
        await world.ask({ method, path: `${files}/owner-bucket/${tag}` }, other);
      }
    }
    assert.equal(await world.state(), before);
    assert.equal((await world.ask({ method: "GET", path }, owner)).body, text);
  }, keeping);
});

Deno.test("the same bytes of two tenants are two objects, and neither learns of the other", async () => {
  await withWorld(async (world) => {
    const { owner, other } = world.keys;
    const path = `${files}/shared-name/table.csv`;
    const before = await world.ask({ method: "GET", path }, other);
    assert.equal((await world.ask({ method: "PUT", path, body: text }, owner)).status, 200);
    const between = await world.ask({ method: "GET", path }, other);
    assert.equal(comparable(before), comparable(between));
    assert.equal((await world.ask({ method: "PUT", path, body: text }, other)).status, 200);
    assert.equal((await world.ask({ method: "DELETE", path }, other)).status, 204);
    assert.equal((await world.ask({ method: "GET", path }, owner)).body, text);
  }, keeping);
});

Deno.test("no key makes a blob's name, whatever is in it", async () => {
  await withWorld(async (world) => {
    const { owner } = world.keys;
    const keys = [
      "..%2F..%2F..%2Fevil",
      "%2Fetc%2Fpasswd",
      ".draft-x",
      "kept%2Fopenai%2Fx",
      "a%5C..%5Cb",
    ];
    for (const key of keys) {
      const path = `${files}/owner-bucket/${key}`;
      const answer = await world.ask({ method: "PUT", path, body: text }, owner);
      assert.equal(answer.status, 200, key);
      assert.equal((await world.ask({ method: "GET", path }, owner)).body, text, key);
    }
    const blobs = (await blobsIn(world.folder)).filter((one) => one.includes("/kept/"));
    // Each with its label.
    assert.equal(blobs.length, 2 * keys.length);
    for (const blob of blobs) {
      assert.match(
        blob,
        /\.objects\/(labels\/)?kept\/openai\/bw-[a-z0-9]{8}-[0-9a-z]+\.[a-z0-9]{12}$/,
      );
    }
  }, keeping);
});
