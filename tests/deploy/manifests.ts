/** Files of `deploy/` as tests look into them. */
import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);

/** Reads a file of the working copy. */
export const read = (path: string) => Deno.readTextFile(new URL(path, root));

/** A value of YAML, as far as tests look into it. */
export interface Yaml {
  readonly [name: string]: Yaml | undefined;
}

/** The items of a list. */
export function items(value: Yaml | undefined): readonly Yaml[] {
  return Array.isArray(value) ? value : assert.fail("not a list");
}

/** Fails for a variable that docs/configuration.md does not name. */
export async function areKnown(names: readonly string[]): Promise<void> {
  const page = await read("docs/configuration.md");
  for (const name of names) assert.ok(page.includes(`\`${name}\``), name);
}
