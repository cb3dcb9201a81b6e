/** `deno task npm`: writes the npm package, `dist/batchway-<version>.tgz`, as `npm pack` would. */
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import project from "../deno.json" with { type: "json" };
import { print } from "../program.ts";
import { bundleProgram } from "./bundle.ts";
import { bundledLicenses } from "./licenses.ts";
import { tar, type TarFile } from "./tar.ts";

const root = new URL("../", import.meta.url);
const { version } = project;
const encoder = new TextEncoder();

const manifest = {
  name: "batchway",
  version,
  description:
    "Run boto3 programs for Bedrock batch jobs on OpenAI, Gemini, Anthropic or Bedrock, and test them without any",
  keywords: ["aws", "bedrock", "s3", "batch", "inference", "llm", "openai", "gemini", "anthropic"],
  license: project.license,
  bin: { batchway: "launcher.cjs" },
  engines: { node: ">=20" },
  // The version of Deno that the tests run with, which is the one that builds the package.
  dependencies: { deno: Deno.version.deno },
};

/** Makes the package; returns its name and its bytes, the same for the same sources. */
export async function makeNpmPackage(): Promise<
  { readonly name: string; readonly bytes: Uint8Array }
> {
  const program = [...await bundleProgram()].map(([name, bytes]) => file(`program/${name}`, bytes));
  const files = [
    file("package.json", encoder.encode(`${JSON.stringify(manifest, null, 2)}\n`)),
    { ...await copied("npm/launcher.cjs", "launcher.cjs"), isExecutable: true },
    await copied("npm/README.md", "README.md"),
    await copied("LICENSE", "LICENSE"),
    file("THIRD-PARTY.txt", encoder.encode(await bundledLicenses())),
    ...program.toSorted((one, other) => one.path < other.path ? -1 : 1),
  ];
  return { name: `batchway-${version}.tgz`, bytes: gzipSync(tar(files), { level: 9 }) };
}

function file(path: string, bytes: Uint8Array): TarFile {
  return { path: `package/${path}`, bytes };
}

async function copied(source: string, path: string): Promise<TarFile> {
  return file(path, await Deno.readFile(new URL(source, root)));
}

if (import.meta.main) {
  const [folder = fileURLToPath(new URL("dist", root))] = Deno.args;
  const { name, bytes } = await makeNpmPackage();
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeFile(`${folder}/${name}`, bytes);
  print(`${folder}/${name}`);
}
