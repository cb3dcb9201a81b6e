import assert from "node:assert/strict";
import { fileId } from "../../codecs/ids.ts";
import { latin1OfUtf8 } from "../../codecs/latin1.ts";
import { IdNotes } from "../../objects/record_ids.ts";
import { openCatalog } from "../catalog/memory.ts";

const utf8 = new TextEncoder();
const idIn = (text: string, start: number, end: number) =>
  /^\{"key":("[^"]*")/.exec(text.slice(start, end))?.[1];
const whole = (text: string, start: number, end: number) => text.slice(start, end);

/** Notes the ids of lines that stand in one text. */
function noted(text: string) {
  const characters = latin1OfUtf8(text);
  const notes = new IdNotes(idIn);
  let start = 0;
  for (const line of characters.split("\n")) {
    notes.see(characters, start, start + line.length);
    start += line.length + 1;
  }
  const ids = notes.end();
  return ids && { text: new TextDecoder().decode(ids.lines), unique: ids.unique };
}

Deno.test("ids are noted as their lines pass", () => {
  const text = `{"key":"ä"}\n\n{"key":"b","x":"${"y".repeat(5_000)}"}\n{"key":"c"}`;
  assert.deepEqual(noted(text), { text: '"ä"\n"b"\n"c"', unique: true });
});

Deno.test("records without an id, and two of one id, are reported", () => {
  assert.equal((noted('{"key":"a"}\n{}\n'))?.unique, false);
  assert.deepEqual(noted('{"key":"a"}\n{"key":"a"}\n'), {
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
  const see = (line: string) => notes.see(line, 0, line.length);
  for (let n = 0; n < 100_000; n++) see(`"request-${n}"`);
  assert.equal(notes.end()?.unique, true);
  see('"request-77777"');
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
  const line = "x".repeat(1_000);
  for (let n = 0; n < 17_000; n++) notes.see(line, 0, line.length);
  assert.equal(notes.end(), undefined);
});
