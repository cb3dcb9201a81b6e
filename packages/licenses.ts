/** The licenses of the npm packages that a bundle holds: they ask to be given on with the code. */
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

/**
 * The name, version and license of every package that `deno.lock` names, with the text of its license
 * where it comes with one.
 *
 * @throws Where a package is not in Deno's cache; after `deno bundle` all are.
 */
export async function bundledLicenses(): Promise<string> {
  const { npm } = JSON.parse(await Deno.readTextFile(`${root}deno.lock`)) as {
    readonly npm: Readonly<Record<string, unknown>>;
  };
  // Behind a version, a lock names the peers that it was resolved with.
  const all = Object.keys(npm).map((key) => /^(@?[^@]+)@([^_]+)/.exec(key)?.slice(1) ?? []);
  const cache = await npmCache();
  const parts = [];
  for (const [name = "", version = ""] of all) {
    parts.push(await licenseOf(await findPackage(cache, name, version), name, version));
  }
  const rule = `\n${"-".repeat(78)}\n\n`;
  return `The program holds code of these packages.\n${rule}${parts.join(rule)}`;
}

async function npmCache(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).npmCache;
}

/** The folder of a package; the cache has one folder for each registry. */
async function findPackage(cache: string, name: string, version: string): Promise<string> {
  for await (const registry of Deno.readDir(cache)) {
    const folder = `${cache}/${registry.name}/${name}/${version}`;
    try {
      if ((await Deno.stat(folder)).isDirectory) return folder;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Error(`${name}@${version} is not in ${cache}. Run deno cache batchway.ts`);
}

async function licenseOf(folder: string, name: string, version: string): Promise<string> {
  const { license } = JSON.parse(await Deno.readTextFile(`${folder}/package.json`));
  const files: string[] = [];
  for await (const { name: file, isFile } of Deno.readDir(folder)) {
    if (isFile && /^(?:licen[cs]e|notice)/i.test(file)) files.push(file);
  }
  const texts = await Promise.all(
    files.sort().map((file) => Deno.readTextFile(`${folder}/${file}`)),
  );
  const head = `${name} ${version}, license: ${license ?? "see its text"}`;
  return [head, ...texts.map((text) => text.replaceAll("\r\n", "\n").trim())].join("\n\n") + "\n";
}
