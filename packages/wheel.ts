/**
 * `deno task wheel`: writes the Python package, `dist/batchway-<version>-py3-none-any.whl`. Python's
 * own tools are not needed: a wheel is a zip of the files to install and of what describes them.
 */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import project from "../deno.json" with { type: "json" };
import { print } from "../program.ts";
import { bundleProgram, type Files } from "./bundle.ts";
import { bundledLicenses } from "./licenses.ts";
import { zip } from "./zip.ts";

const root = new URL("../", import.meta.url);
const { version } = project;
const info = `batchway-${version}.dist-info`;
const encoder = new TextEncoder();

/** The version of Deno that the tests run with, which is the one that builds the wheel. */
const deno = Deno.version.deno;

const metadata = (readme: string) =>
  `Metadata-Version: 2.4
Name: batchway
Version: ${version}
Summary: Run boto3 programs for Bedrock batch jobs on OpenAI, Gemini, Anthropic or Bedrock, and test them without any
Keywords: aws,bedrock,boto3,batch,inference,llm,openai,gemini,anthropic,pytest,testing
License-Expression: Apache-2.0
License-File: LICENSE
License-File: THIRD-PARTY.txt
Classifier: Development Status :: 4 - Beta
Classifier: Environment :: Console
Classifier: Framework :: Pytest
Classifier: Intended Audience :: Developers
Classifier: Operating System :: MacOS
Classifier: Operating System :: Microsoft :: Windows
Classifier: Operating System :: POSIX :: Linux
Classifier: Programming Language :: Python :: 3
Classifier: Programming Language :: Python :: 3 :: Only
Classifier: Topic :: Scientific/Engineering :: Artificial Intelligence
Classifier: Topic :: Software Development :: Testing :: Mocking
Classifier: Typing :: Typed
Requires-Python: >=3.10
Requires-Dist: deno==${deno}
Provides-Extra: testing
Requires-Dist: boto3>=1.34; extra == "testing"
Requires-Dist: pytest>=7; extra == "testing"
Description-Content-Type: text/markdown

${readme}`;

const wheel = `Wheel-Version: 1.0
Generator: batchway (${version})
Root-Is-Purelib: true
Tag: py3-none-any
`;

const entryPoints = `[console_scripts]
batchway = batchway._launcher:main

[pytest11]
batchway = batchway.testing.plugin
`;

/** Makes the wheel; returns its name and its bytes. */
export async function makeWheel(): Promise<{ readonly name: string; readonly bytes: Uint8Array }> {
  const files = new Map(await sources());
  for (const [name, bytes] of await bundleProgram()) files.set(`batchway/_program/${name}`, bytes);
  const described: Record<string, string> = {
    "METADATA": metadata(await Deno.readTextFile(new URL("python/README.md", root))),
    "WHEEL": wheel,
    "entry_points.txt": entryPoints,
    "licenses/LICENSE": await Deno.readTextFile(new URL("LICENSE", root)),
    "licenses/THIRD-PARTY.txt": await bundledLicenses(),
  };
  const sorted = [...files].toSorted(([one], [other]) => one < other ? -1 : 1);
  for (const [name, text] of Object.entries(described)) {
    sorted.push([`${info}/${name}`, encoder.encode(text)]);
  }
  sorted.push([`${info}/RECORD`, encoder.encode(recordOf(sorted))]);
  return { name: `batchway-${version}-py3-none-any.whl`, bytes: zip(sorted) };
}

/** One line for each file: its path, digest and size; the record itself has neither. */
function recordOf(files: readonly (readonly [string, Uint8Array])[]): string {
  const lines = files.map(([name, bytes]) => {
    const digest = createHash("sha256").update(bytes).digest("base64url");
    return `${name},sha256=${digest},${bytes.length}`;
  });
  return [...lines, `${info}/RECORD,,`, ""].join("\n");
}

/** The Python files of the package. */
async function sources(): Promise<Files> {
  const files = new Map<string, Uint8Array>();
  const read = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(new URL(`python/${folder}`, root))) {
      if (isDirectory && name !== "__pycache__") await read(`${folder}${name}/`);
      if (!/\.py$|^py\.typed$/.test(name)) continue;
      files.set(folder + name, await Deno.readFile(new URL(`python/${folder}${name}`, root)));
    }
  };
  await read("batchway/");
  return files;
}

if (import.meta.main) {
  const [folder = fileURLToPath(new URL("dist", root))] = Deno.args;
  const { name, bytes } = await makeWheel();
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeFile(`${folder}/${name}`, bytes);
  print(`${folder}/${name}`);
}
