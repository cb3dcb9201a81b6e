/** The pytest plugin of the Python package, and the tests that docs/testing.md shows. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { makeWheel } from "../../packages/wheel.ts";
import { runProgram, say } from "../program.ts";
import { ensurePython, ensureVenv, type Venv } from "../python.ts";

const venv: Venv = {
  what: "pytest and the Deno of pip",
  name: "testing-venv",
  requirements: fileURLToPath(new URL("testing_requirements.txt", import.meta.url)),
};
const own = fileURLToPath(new URL("test_plugin.py", import.meta.url));

async function findPython(): Promise<string | undefined> {
  await ensurePython();
  try {
    return await ensureVenv(venv);
  } catch (error) {
    say(
      `Tests of the pytest plugin are ignored: ${error instanceof Error ? error.message : error}`,
    );
    return undefined;
  }
}

const python = await findPython();

/** Runs pytest in a folder with the wheel on Python's path, where its plugin is found. */
async function pytest(folder: string, ...args: string[]) {
  const { name, bytes } = await makeWheel();
  await Deno.writeFile(`${folder}/${name}`, bytes);
  const site = `${folder}/site`;
  const unpacked = await runProgram(python ?? "", [
    "-m",
    "zipfile",
    "-e",
    `${folder}/${name}`,
    site,
  ]);
  assert.equal(unpacked.code, 0, unpacked.stderr);
  const options = [
    "-q",
    "-p",
    "no:cacheprovider",
    "--rootdir",
    folder,
    "-o",
    "batchway_batch_seconds=3600",
  ];
  return await runProgram(python ?? "", ["-m", "pytest", ...options, ...args], {
    PYTHONPATH: site,
  });
}

function test(name: string, body: (folder: string) => Promise<void>): void {
  Deno.test({
    name,
    ignore: python === undefined,
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "batchway-pytest-" });
      try {
        await body(folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

test("the tests of docs/testing.md pass as they stand there, also in two processes", async (folder) => {
  const page = await Deno.readTextFile(new URL("../../docs/testing.md", import.meta.url));
  const blocks = [...page.matchAll(/^```python\n# (test_\w+\.py)\n(.*?)^```/gms)];
  assert.equal(blocks.length, 4);
  assert.equal(blocks.length, page.match(/^```python/gm)?.length);
  await Deno.mkdir(`${folder}/tests`);
  for (const [, name, text = ""] of blocks) {
    await Deno.writeTextFile(`${folder}/tests/${name}`, text);
  }
  const ran = await pytest(folder, "-n", "2", `${folder}/tests`);
  assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  assert.match(ran.stdout, /\b4 passed\b/);
});

test("the fixture keeps what its page promises", async (folder) => {
  await Deno.copyFile(own, `${folder}/test_plugin.py`);
  const ran = await pytest(folder, `${folder}/test_plugin.py`);
  assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  assert.match(ran.stdout, /\b\d\d passed\b/);
});
