import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { findInput } from "../../jobs/input.ts";
import { createWorld, newObject, type ObjectWorld, quiet } from "../objects/world.ts";
import { createRequest } from "./world.ts";

async function resolve(
  world: ObjectWorld,
  s3Uri: string,
  file_id?: string,
  reach = world.reach,
): Promise<{ file: string; account: string }> {
  const request = createRequest({
    inputDataConfig: { s3InputDataConfig: { s3Uri } },
    tags: file_id === undefined ? {} : { file_id },
  });
  const { record: { held } } = await findInput(world.objects, reach, request, quiet());
  assert.ok(held.in === "provider");
  return { file: held.file, account: held.account };
}

async function filled(): Promise<ObjectWorld> {
  const world = await createWorld();
  await world.objects.put(world.reach, newObject("dir/a.jsonl"), quiet());
  await world.objects.put(world.reach, newObject("b.jsonl"), quiet());
  world.cloud.addFile("file-native");
  return world;
}

const found: readonly [what: string, s3Uri: string, tag: string | undefined, file: string][] = [
  ["a key", "s3://bucket/dir/a.jsonl", undefined, "file-0"],
  ["a file id in any bucket", "s3://elsewhere/file-0", undefined, "file-0"],
  ["a file id below a prefix", "s3://elsewhere/dir/file-1", undefined, "file-1"],
  ["a native file", "s3://cloud-files/file-native", undefined, "file-native"],
  ["a tag, where the URI names nothing", "s3://label/nothing.jsonl", "file-1", "file-1"],
  ["a tag, where the URI is a bucket alone", "s3://label", "file-1", "file-1"],
  ["a tag that says the same as the key", "s3://bucket/dir/a.jsonl", "file-0", "file-0"],
  ["a tag of a native file", "s3://label/x", "file-native", "file-native"],
];

for (const [what, s3Uri, tag, file] of found) {
  Deno.test(`a job's input is found by ${what}`, async () => {
    using world = await filled();
    assert.deepEqual(await resolve(world, s3Uri, tag), { file, account: "main" });
  });
}

const refused: readonly [what: string, s3Uri: string, tag: string | undefined, told: RegExp][] = [
  ["an unknown key", "s3://bucket/none.jsonl", undefined, /s3:\/\/bucket\/none\.jsonl/],
  ["an unknown file", "s3://bucket/file-9", undefined, /file-9/],
  ["an unknown file in the tag", "s3://bucket/dir/a.jsonl", "file-9", /file-9/],
  ["a tag that is no file id", "s3://bucket/dir/a.jsonl", "nonsense", /nonsense/],
  ["a tag that names another file", "s3://bucket/dir/a.jsonl", "file-1", /file-0.*file-1/],
];

for (const [what, s3Uri, tag, told] of refused) {
  Deno.test(`${what} is a validation error that names it`, async () => {
    using world = await filled();
    await assert.rejects(
      resolve(world, s3Uri, tag),
      (error) => error instanceof Failure && error.kind === "invalid" && told.test(error.message),
    );
  });
}

Deno.test("another tenant's file and, for a key without native files, a native one are not inputs", async () => {
  using world = await filled();
  const other = { ...world.reach, tenant: "other", native: false };
  for (const id of ["file-0", "file-native"]) {
    await assert.rejects(resolve(world, `s3://bucket/${id}`, undefined, other), {
      kind: "invalid",
    });
    await assert.rejects(resolve(world, "s3://bucket/x", id, other), { kind: "invalid" });
  }
});

Deno.test("a file that was replaced is not an input any more, not even by its id", async () => {
  using world = await filled();
  world.cloud.before = (call) => {
    if (call === "files.delete") throw new Failure("unavailable", "Later");
  };
  await world.objects.put(world.reach, newObject("b.jsonl", "new"), quiet());
  await assert.rejects(resolve(world, "s3://bucket/file-1"), { kind: "invalid" });
  await assert.rejects(resolve(world, "s3://bucket/b.jsonl", "file-1"), { kind: "invalid" });
});
