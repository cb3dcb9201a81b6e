/**
 * The program `batchway` as one file of JavaScript for packages, with all npm packages in it, so that
 * a start needs neither network nor cache.
 */
import { fileURLToPath } from "node:url";
import { fixedFlags } from "../config/permissions.ts";

/** Files of a package by their path in it. */
export type Files = ReadonlyMap<string, Uint8Array>;

const root = fileURLToPath(new URL("../", import.meta.url));

/**
 * Bundles the program. The same sources give the same bytes on every machine: minified, as names of
 * modules in the long form are paths of the machine's cache. Not split into several files: a module
 * of CommonJS that is imported lazily has no named exports there (Deno 2.9.6).
 *
 * @returns `batchway.js`, and `flags.json` for launchers: the flags of each command (null where they
 *   depend on the configuration and `batchway permissions` is to be asked), and those of any other word.
 */
export async function bundleProgram(): Promise<Files> {
  const folder = await Deno.makeTempDir({ prefix: "batchway-bundle-" });
  try {
    const path = `${folder}/batchway.js`;
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", "--minify", "--output", path, "batchway.ts"],
      cwd: root,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (code !== 0) {
      throw new Error(`deno bundle ended with ${code}: ${new TextDecoder().decode(stderr)}`);
    }
    const flags = `${JSON.stringify(fixedFlags(), null, 1)}\n`;
    return new Map([
      ["batchway.js", await Deno.readFile(path)],
      ["flags.json", new TextEncoder().encode(flags)],
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
