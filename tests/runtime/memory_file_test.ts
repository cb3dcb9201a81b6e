import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { writeAll } from "../../runtime/files.ts";
import { createMemoryFile } from "../../runtime/memory_file.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

Deno.test("a file in memory is read where it was written, and ends where it ends", async () => {
  using file = createMemoryFile();
  await writeAll(file, bytesOf("0123456789"));
  await file.seek(4, Deno.SeekMode.Start);
  const buffer = new Uint8Array(4);
  assert.equal(await file.read(buffer), 4);
  assert.equal(new TextDecoder().decode(buffer), "4567");
  assert.equal(await file.read(buffer), 2);
  assert.equal(await file.read(buffer), null);
  await file.seek(2, Deno.SeekMode.Start);
  await writeAll(file, bytesOf("ab"));
  assert.deepEqual(await file.stat(), { size: 10 });
  await file.seek(0, Deno.SeekMode.Start);
  const all = new Uint8Array(10);
  await file.read(all);
  assert.equal(new TextDecoder().decode(all), "01ab456789");
});

Deno.test("files in memory have room together, which closing gives back", async () => {
  const most = 256 * 1024;
  const first = createMemoryFile(most);
  await writeAll(first, new Uint8Array(150_000));
  using second = createMemoryFile(most);
  const tooLarge = (error: unknown) => error instanceof Failure && error.kind === "too-large";
  await assert.rejects(writeAll(second, new Uint8Array(150_000)), tooLarge);
  first.close();
  first.close();
  await writeAll(second, new Uint8Array(150_000));
});
