import assert from "node:assert/strict";
import {
  entries,
  found,
  makeFileIn,
  makeFolderIn,
  openNameless,
  syncPath,
  writeAll,
} from "../../runtime/files.ts";

const withFolder = async (work: (folder: string) => Promise<void>) => {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
};

Deno.test("a file that is absent is undefined, and any other error is thrown", () =>
  withFolder(async (folder) => {
    assert.equal(await found(Deno.stat(`${folder}/none`)), undefined);
    assert.equal(await found(Deno.readTextFile(`${folder}/none/below`)), undefined);
    assert.equal((await found(Deno.stat(folder)))?.isDirectory, true);
    await assert.rejects(found(Deno.readTextFile(folder)));
  }));

Deno.test("a folder that is absent has no names", () =>
  withFolder(async (folder) => {
    assert.deepEqual(await entries(`${folder}/none`), []);
    await Deno.writeTextFile(`${folder}/a`, "");
    assert.deepEqual(await entries(folder), ["a"]);
  }));

Deno.test("a file without a name is written and read, and its folder is empty", () =>
  withFolder(async (folder) => {
    using file = await openNameless("draft-", `${folder}/made`);
    await writeAll(file, new TextEncoder().encode("text"));
    await file.seek(0, Deno.SeekMode.Start);
    const bytes = new Uint8Array(8);
    assert.equal(await file.read(bytes), 4);
    assert.deepEqual(await entries(`${folder}/made`), []);
  }));

Deno.test("what is made in a folder is named by that folder, also where it is a symbolic link", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/real`);
    await Deno.symlink("real", `${folder}/link`);
    const file = await makeFileIn(`${folder}/link`, "draft-");
    const inner = await makeFolderIn(`${folder}/link`, "copy-");
    assert.ok(file.startsWith(`${folder}/link/draft-`), file);
    assert.ok(inner.startsWith(`${folder}/link/copy-`), inner);
    assert.equal((await Deno.stat(file)).isFile, true);
    assert.equal((await entries(`${folder}/real`)).length, 2);
  }));

Deno.test("files and folders are put on disk, and one that is absent is an error", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a`, "text");
    await syncPath(`${folder}/a`);
    await syncPath(folder);
    await assert.rejects(syncPath(`${folder}/none`), Deno.errors.NotFound);
  }));
