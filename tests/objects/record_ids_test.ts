import assert from "node:assert/strict";
import { fileId } from "../../codecs/ids.ts";
import { noteIds } from "../../objects/record_ids.ts";
import { openCatalog } from "../catalog/memory.ts";

const idIn = (head: string) => /^\{"key":"([^"]*)"/.exec(head)?.[1];

/** Notes the ids of a text that comes in chunks of this size. */
async function noted(text: string, size: number) {
  const bytes = new TextEncoder().encode(text);
  const chunks = Array.from(
    { length: Math.ceil(bytes.length / size) },
    (_, n) => bytes.slice(n * size, (n + 1) * size),
  );
  const { body, ids } = noteIds(ReadableStream.from(chunks), idIn);
  const passed = await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
  assert.equal(passed, text);
  return ids();
}

Deno.test("ids are noted as they pass, however the bytes are cut", async () => {
  const text = `{"key":"ä"}\n\n{"key":"b","x":"${"y".repeat(5_000)}"}\n{"key":"c"}`;
  for (const size of [1, 3, 1_000, 100_000]) {
    assert.deepEqual(await noted(text, size), { text: '"ä"\n"b"\n"c"', unique: true });
  }
});

Deno.test("records without an id, and two of one id, are told", async () => {
  assert.equal((await noted('{"key":"a"}\n{}\n', 100))?.unique, false);
  assert.deepEqual(await noted('{"key":"a"}\n{"key":"a"}\n', 100), {
    text: '"a"\n"a"',
    unique: false,
  });
});

Deno.test("ids are kept in the catalog, also many that do not pack well", async () => {
  using open = await openCatalog();
  const { recordIds } = open.catalog;
  const ids = Array.from({ length: 20_000 }, () => crypto.randomUUID());
  const text = ids.map((id) => JSON.stringify(id)).join("\n");
  await recordIds.set("cloud", fileId("file-1"), { text, unique: true });
  const kept = await recordIds.get("cloud", fileId("file-1"));
  assert.equal(kept?.unique, true);
  assert.deepEqual(await kept?.ids(), ids);
  assert.equal(await recordIds.get("cloud", fileId("file-2")), undefined);
});
