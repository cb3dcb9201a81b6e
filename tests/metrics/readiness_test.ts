import assert from "node:assert/strict";
import { addReadiness } from "../../metrics/readiness.ts";
import { createRegistry } from "../../metrics/registry.ts";

/** The reason that is shown; undefined where it is ready. */
async function shownBy(word: () => Promise<string>, looks: number): Promise<string | undefined> {
  const registry = createRegistry();
  addReadiness(registry, word);
  for (let n = 1; n < looks; n++) await registry.render();
  return /^batchway_not_ready{reason="(\w+)"} 1$/m.exec(await registry.render())?.[1];
}

Deno.test("each scrape shows what keeps the gateway from its work now, and nothing once it is well", async () => {
  for (const reason of ["draining", "disk", "catalog", "providers"]) {
    assert.equal(await shownBy(() => Promise.resolve(reason), 1), reason);
    const words = [reason, "ready"];
    assert.equal(await shownBy(() => Promise.resolve(words.shift() ?? ""), 2), undefined);
  }
});

Deno.test("a look that takes long keeps no scrape waiting, and the scrape after its end shows it", async () => {
  const looking = Promise.withResolvers<string>();
  const registry = createRegistry();
  addReadiness(registry, () => looking.promise);
  assert.match(await registry.render(), /reason="catalog"} 0/);
  looking.resolve("catalog");
  assert.match(await registry.render(), /reason="catalog"} 1/);
});
