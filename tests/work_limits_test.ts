import assert from "node:assert/strict";

/** Rows of the table of limits: name, file and value. */
const row = /^\|[^|]+\| `(\w+)` in `([\w/.]+)` +\| `([^`]+)` +\|/gm;

Deno.test("the limits in the documentation are those of the code", async () => {
  const text = await Deno.readTextFile("docs/security.md");
  const rows = [...text.matchAll(row)];
  assert.ok(rows.length > 20, `${rows.length} rows`);
  for (const [, name, file = "", value] of rows) {
    const code = await Deno.readTextFile(file);
    const found = new RegExp(`const ${name} = ([^;]+);`).exec(code)?.[1];
    assert.equal(found, value, `${name} in ${file}`);
  }
});
