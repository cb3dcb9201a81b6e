import assert from "node:assert/strict";
import { fileId } from "../../codecs/ids.ts";
import { IdNotes } from "../../objects/record_ids.ts";
import { openCatalog } from "../catalog/memory.ts";

const utf8 = new TextEncoder();
const idIn = (text: string, start: number, end: number) =>
  /^\{"key":("[^"]*")/.exec(text.slice(start, end))?.[1];
const whole = (text: string, start: number, end: number) => text.slice(start, end);

/** Notes the ids of a text that comes in chunks of this size. */
function noted(text: string, size: number) {
  const bytes = utf8.encode(text);
  const notes = new IdNotes(idIn);
  for (let at = 0; at < bytes.length; at += size) notes.take(bytes.slice(at, at + size));
  const ids = notes.end();
  return ids && { text: new TextDecoder().decode(ids.lines), unique: ids.unique };
}

Deno.test("ids are noted as they pass, however the bytes are cut", () => {
  const text = `{"key":"ä"}\n\n{"key":"b","x":"${"y".repeat(5_000)}"}\n{"key":"c"}`;
  for (const size of [1, 3, 1_000, 100_000]) {
    assert.deepEqual(noted(text, size), { text: '"ä"\n"b"\n"c"', unique: true });
  }
});

Deno.test("records without an id, and two of one id, are told", () => {
  assert.equal((noted('{"key":"a"}\n{}\n', 100))?.unique, false);
  assert.deepEqual(noted('{"key":"a"}\n{"key":"a"}\n', 100), {
    text: '"a"\n"a"',
    unique: false,
  });
});

Deno.test("ids are kept in the catalog, also many that do not pack well", async () => {
  using open = await openCatalog();
  const { recordIds } = open.catalog;
  const ids = Array.from({ length: 20_000 }, () => crypto.randomUUID());
  const lines = utf8.encode(ids.map((id) => JSON.stringify(id)).join("\n"));
  await recordIds.set("cloud", fileId("file-1"), { lines, unique: true });
  const kept = await recordIds.get("cloud", fileId("file-1"));
  assert.equal(kept?.unique, true);
  assert.deepEqual(await kept?.ids(), ids);
  assert.equal(await recordIds.get("cloud", fileId("file-2")), undefined);
});

Deno.test("few ids are kept in one entry, and read from it", async () => {
  using open = await openCatalog();
  const { recordIds } = open.catalog;
  await recordIds.set("cloud", fileId("file-1"), { lines: utf8.encode('"a"\n"ü"'), unique: false });
  const kept = await recordIds.get("cloud", fileId("file-1"));
  assert.deepEqual([kept?.unique, await kept?.ids()], [false, ["a", "ü"]]);
  assert.equal((await Array.fromAsync(open.kv.list({ prefix: [] }))).length, 1);
});

Deno.test("ids by the hundred thousand are each their own, and one that comes again is noticed", () => {
  const notes = new IdNotes(whole);
  for (let n = 0; n < 100_000; n++) notes.take(utf8.encode(`"request-${n}"\n`));
  assert.equal(notes.end()?.unique, true);
  notes.take(utf8.encode('"request-77777"\n'));
  const ids = notes.end();
  assert.equal(ids?.unique, false);
  const lines = new TextDecoder().decode(ids?.lines).split("\n");
  assert.deepEqual([lines.length, lines[0], lines.at(-1)], [
    100_001,
    '"request-0"',
    '"request-77777"',
  ]);
});

Deno.test("ids that are too many are given up", () => {
  const notes = new IdNotes(whole);
  const line = utf8.encode(`${"x".repeat(1_000)}\n`.repeat(1_000));
  for (let n = 0; n < 17; n++) notes.take(line);
  assert.equal(notes.end(), undefined);
});
