/** The two locks: what the gateway runs, and what the tests run besides. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

interface Lock {
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<Record<string, unknown>>;
}

async function read<Content>(path: string): Promise<Content> {
  const url = new URL(`../${path}`, import.meta.url);
  return JSON.parse(await Deno.readTextFile(fileURLToPath(url)));
}

Deno.test("a first start fetches what deno.json names, and nothing that only tests use", async () => {
  const { imports } = await read<{ imports: Record<string, string> }>("deno.json");
  const { specifiers } = await read<Lock>("deno.lock");
  assert.deepEqual(Object.keys(specifiers).sort(), Object.values(imports).sort());
});

Deno.test("tests run the gateway on the versions that it is locked to", async () => {
  const own = await read<Lock>("deno.lock");
  const all = await read<Lock>("tests/deno.lock");
  for (const [specifier, version] of Object.entries(own.specifiers)) {
    assert.equal(all.specifiers[specifier], version, specifier);
  }
  const missing = Object.keys(own.npm).filter((one) => !Object.hasOwn(all.npm, one));
  assert.deepEqual(missing, []);
});
