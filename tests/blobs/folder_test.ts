import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createFolderStore } from "../../blobs/folder.ts";
import { createDisk, isDiskFailure } from "../../runtime/disk.ts";
import { temporaryFolder } from "../catalog/memory.ts";
import { quiet } from "../objects/world.ts";

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

Deno.test("drafts of processes that died are cleared away, and none that may be at work", async () => {
  await using folder = await temporaryFolder();
  const day = 24 * 60 * 60 * 1000;
  for (const [name, age] of [["old", 2 * day], ["young", day / 2]] as const) {
    await Deno.writeTextFile(`${folder.path}/.draft-${name}`, "");
    const at = new Date(Date.now() - age);
    await Deno.utime(`${folder.path}/.draft-${name}`, at, at);
  }
  const store = createFolderStore({ folder: folder.path, due: Date.now });
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
    () =>
      createFolderStore({
        folder: folder.path,
        due: Date.now,
        failed: (error) => failures.push(error),
      }),
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
  const store = createFolderStore({
    folder: folder.path,
    due: Date.now,
    failed: (error) => failures.push(error),
  });
  for (const failed of [1, 2, 2]) {
    const draft = await store.draft();
    await draft.write(bytes);
    await draft.keep("a/b", facts, quiet());
    await draft.discard();
    assert.equal(failures.length, failed);
    if (failed === 2) await Deno.remove(stray, { recursive: true }).catch(() => {});
  }
});

Deno.test("a full disk is a failure that says so, leaves nothing, and heals", async () => {
  await using folder = await temporaryFolder();
  /** So many writes succeed before the disk is full. */
  let room = 0;
  const disk = createDisk("blobs");
  const store = createFolderStore({
    folder: folder.path,
    due: Date.now,
    disk: {
      ...disk,
      write: (work) =>
        disk.write(async () => {
          if (room-- > 0) return await work();
          throw Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
        }),
    },
  });
  const put = (name: string) =>
    store.put(name, { bytes: 10, body: new Blob([bytes]).stream() }, quiet());
  const isSaid = (error: unknown) => isDiskFailure(error) && /full/.test(String(error));
  // As it begins, as it is written, and as it gets its name.
  for (const writes of [0, 1, 2]) {
    room = writes;
    await assert.rejects(put("a/b"), isSaid);
    assert.equal(disk.trouble(), "full");
    assert.deepEqual(await filesIn(folder.path), []);
  }
  for (const writes of [0, 1]) {
    room = 1;
    const draft = await store.draft();
    room = writes;
    await assert.rejects(
      draft.write(bytes).then(() => draft.keep("a/b", facts, quiet())),
      isSaid,
    );
    await draft.discard();
    assert.deepEqual(await filesIn(folder.path), []);
  }
  room = Infinity;
  await put("a/c");
  assert.deepEqual([disk.trouble(), await filesIn(folder.path)], [undefined, ["a/c"]]);
});
