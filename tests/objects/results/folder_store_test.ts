import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Failure } from "../../../codecs/failure.ts";
import { createFolderStore } from "../../../objects/results/folder_store.ts";
import { temporaryFolder } from "../../catalog/memory.ts";
import { quiet } from "../world.ts";

const text = "0123456789";
const bytes = new TextEncoder().encode(text);
const facts = { bytes: 10, sha256: createHash("sha256").update(text).digest("hex") };

/** Names of all files below a folder. */
async function filesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) {
      found.push(...(await filesIn(`${folder}/${name}`)).map((one) => `${name}/${one}`));
    } else found.push(name);
  }
  return found;
}

Deno.test("what is kept in a folder is read whole and in ranges, and removed", async () => {
  await using folder = await temporaryFolder();
  const store = createFolderStore(`${folder.path}/new/one`, Date.now);
  const draft = await store.draft();
  await draft.write(bytes.subarray(0, 4));
  await draft.write(bytes.subarray(4));
  await draft.keep("cloud/job/file", facts, quiet());
  await draft.discard();
  assert.deepEqual(await filesIn(folder.path), ["new/one/cloud/job/file"]);
  const read = async (first: number, last?: number) => {
    const range = { first, ...(last !== undefined && { last }) };
    const body = await store.open("cloud/job/file", range, quiet());
    return await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
  };
  assert.deepEqual(await Promise.all([read(0), read(3, 5), read(9, 9)]), [text, "345", "9"]);
  await (await store.open("cloud/job/file", { first: 0 }, quiet())).cancel();
  await store.remove("cloud/job/file", quiet());
  await store.remove("cloud/job/file", quiet());
  await assert.rejects(
    store.open("cloud/job/file", { first: 0 }, quiet()),
    (error) => error instanceof Failure && error.kind === "not-found",
  );
});

Deno.test("a draft that is not what it must be is not kept, and leaves nothing", async () => {
  await using folder = await temporaryFolder();
  const store = createFolderStore(folder.path, Date.now);
  for (const wrong of [{ ...facts, bytes: 11 }, { ...facts, sha256: "0".repeat(64) }]) {
    const draft = await store.draft();
    await draft.write(bytes);
    await assert.rejects(draft.keep("a/b", wrong, quiet()), /in the gateway's store/);
    await draft.discard();
  }
  assert.deepEqual(await filesIn(folder.path), []);
});

Deno.test("drafts of processes that died are cleared away, and none that may be at work", async () => {
  await using folder = await temporaryFolder();
  const day = 24 * 60 * 60 * 1000;
  for (const [name, age] of [["old", 2 * day], ["young", day / 2]] as const) {
    await Deno.writeTextFile(`${folder.path}/.draft-${name}`, "");
    const at = new Date(Date.now() - age);
    await Deno.utime(`${folder.path}/.draft-${name}`, at, at);
  }
  const store = createFolderStore(folder.path, Date.now);
  await (await store.draft()).discard();
  assert.deepEqual(await filesIn(folder.path), [".draft-young"]);
});

Deno.test("gateways that tidy the same folder at once all go on keeping results", async () => {
  await using folder = await temporaryFolder();
  const old = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000);
  for (let n = 0; n < 30; n++) {
    const path = `${folder.path}/.draft-${n}`;
    await Deno.writeTextFile(path, "");
    await Deno.utime(path, old, old);
  }
  const failures: unknown[] = [];
  const stores = Array.from(
    { length: 4 },
    () => createFolderStore(folder.path, Date.now, (error) => failures.push(error)),
  );
  const drafts = await Promise.all(stores.map((store) => store.draft()));
  for (const [n, draft] of drafts.entries()) {
    await draft.write(bytes);
    await draft.keep(`a/${n}`, facts, quiet());
    await draft.discard();
  }
  assert.deepEqual((await filesIn(folder.path)).toSorted(), ["a/0", "a/1", "a/2", "a/3"]);
  assert.deepEqual(failures, []);
});

Deno.test("a folder that could not be tidied is tidied with the next draft, and keeps results", async () => {
  await using folder = await temporaryFolder();
  const old = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000);
  // A folder with something in it cannot be removed as a draft can.
  const stray = `${folder.path}/.draft-stray`;
  await Deno.mkdir(stray);
  await Deno.writeTextFile(`${stray}/file`, "");
  await Deno.utime(stray, old, old);
  const failures: unknown[] = [];
  const store = createFolderStore(folder.path, Date.now, (error) => failures.push(error));
  for (const failed of [1, 2, 2]) {
    const draft = await store.draft();
    await draft.write(bytes);
    await draft.keep("a/b", facts, quiet());
    await draft.discard();
    assert.equal(failures.length, failed);
    if (failed === 2) await Deno.remove(stray, { recursive: true }).catch(() => {});
  }
});
