/** What `deno publish` would take: an API without errors, and the files of the program. */
import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import project from "../deno.json" with { type: "json" };
import { runProgram } from "./program.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** Runs Deno in a folder of the project's form. */
async function deno(cwd: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** The files that a dry run lists, from the project's folder. */
function listed(output: string): string[] {
  return [...output.matchAll(/^ +(file:\/\/\S+) \([\d.]+\w+\)$/gm)]
    .map(([, url = ""]) => relative(root, fileURLToPath(url)));
}

Deno.test("deno publish takes the program and nothing else, and what it takes runs", async () => {
  const { code, output } = await deno(root, "publish", "--dry-run", "--allow-dirty");
  assert.equal(code, 0, output);
  assert.doesNotMatch(output, /error\[|warning\[|slow type(?!s in the public API)/);
  assert.match(output, new RegExp(`${project.name}@${project.version}`));
  const files = listed(output);
  for (const file of ["batchway.ts", "main.ts", "sandbox/main.ts", "deno.json", "LICENSE"]) {
    assert.ok(files.includes(file), file);
  }
  const pages = ["README.md", "CHANGELOG.md", "LICENSE", "deno.json"];
  const strange = files.filter((file) => !pages.includes(file) && !/\.tsx?$/.test(file));
  assert.deepEqual(strange, []);
  const folders = new Set(files.map((file) => file.split("/")[0] ?? ""));
  for (const folder of ["tests", "bench", "docs", "deploy", "packages", "python", ".ci"]) {
    assert.ok(!folders.has(folder), folder);
  }
  const copy = await Deno.makeTempDir({ prefix: "batchway-publish-" });
  try {
    for (const file of files) {
      await Deno.mkdir(dirname(join(copy, file)), { recursive: true });
      await Deno.copyFile(join(root, file), join(copy, file));
    }
    const lock = ["--lock", join(root, "deno.lock"), "--frozen"];
    const program = [join(copy, "batchway.ts"), "sandbox", "--help"];
    const ran = await runProgram(Deno.execPath(), ["run", "-A", "--quiet", ...lock, ...program], {
      HOME: Deno.env.get("HOME") ?? copy,
      ...(Deno.env.has("DENO_DIR") && { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" }),
    });
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /^batchway sandbox \[options\]/);
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
});
