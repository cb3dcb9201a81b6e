import assert from "node:assert/strict";
import { parseJson } from "../../dialects/json.ts";
import { features } from "./portable/features.ts";
import { plainBody, plantedBody, portable } from "./portable/forms.ts";
import { fateOf, portablePage, sentTo } from "./portable/table.ts";

Deno.test("docs/portable.md has the table that the code makes", async () => {
  const { is, should } = await portablePage();
  assert.equal(is, should, "run `deno run -A tests/dialects/portable/table.ts`");
});

Deno.test("a plain record loses nothing between any two dialects", () => {
  for (const from of portable) {
    for (const to of portable) assert.equal(fateOf(from, to, plainBody(from)), "kept");
  }
});

Deno.test("a feature that is said to be kept is in the record that is sent", () => {
  for (const { name, reasons, in: dialects } of features) {
    for (const from of portable) {
      const planted = dialects[from];
      if (!planted) continue;
      const body = plantedBody(from, planted);
      parseJson(body);
      for (const to of portable) {
        if (fateOf(from, to, body, reasons) !== "kept") continue;
        const plain = sentTo(from, to, plainBody(from), reasons).body;
        const planted = sentTo(from, to, body, reasons).body;
        assert.notEqual(planted, plain, `${name}, ${from} to ${to}`);
      }
    }
  }
});
