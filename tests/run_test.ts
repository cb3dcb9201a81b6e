import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { countsOf } from "./run.ts";

const runner = fileURLToPath(new URL("./run.ts", import.meta.url));

/** Runs the tests of a file of this text; the exit code and the last line. */
async function run(source: string): Promise<{ code: number; last: string | undefined }> {
  const folder = await Deno.makeTempDir({ prefix: "batchway-run-" });
  try {
    const file = join(folder, "sample_test.ts");
    await Deno.writeTextFile(file, source);
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", runner, "--no-check", "--permit-no-files", file],
      stderr: "null",
    }).output();
    return { code, last: new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the summary is read with and without colours, steps and ignored tests", () => {
  const read = (text: string) => countsOf(text);
  assert.deepEqual(read("ok | 12 passed | 0 failed (3s)\n"), { passed: 12, failed: 0 });
  assert.deepEqual(
    read("FAILED | 12 passed (3 steps) | 1 failed (2 steps) | 2 ignored (1m3s)\n"),
    { passed: 12, failed: 1 },
  );
  assert.deepEqual(
    read("\n\u001b[0m\u001b[32mok\u001b[0m | 637 passed (11 steps) | 0 failed (19s)"),
    { passed: 637, failed: 0 },
  );
});

Deno.test("the last summary counts, and a run that was cut off has none", () => {
  assert.deepEqual(
    countsOf("ok | 1 passed | 0 failed (1ms)\nFAILED | 3 passed | 4 failed (1s)\n"),
    { passed: 3, failed: 4 },
  );
  assert.equal(countsOf("running 3 tests from ./a_test.ts\na sentence ... ok (1ms)\n"), undefined);
});

Deno.test("a run whose tests pass ends with their number and code 0", async () => {
  const passing =
    `Deno.test("a", () => {}); Deno.test("b", async (t) => { await t.step("c", () => {}); });`;
  assert.deepEqual(await run(passing), { code: 0, last: "2 passed, 0 failed" });
});

Deno.test("a run with a failing test ends with code 1", async () => {
  const failing = `Deno.test("a", () => {}); Deno.test("b", () => { throw new Error("no"); });`;
  assert.deepEqual(await run(failing), { code: 1, last: "1 passed, 1 failed" });
});

Deno.test("a test that leaves a timer behind fails", async () => {
  const leaking = `Deno.test("a", () => { setTimeout(() => {}, 50); });`;
  assert.deepEqual(await run(leaking), { code: 1, last: "0 passed, 1 failed" });
});

Deno.test("a run of no test, or of a file that cannot be loaded, fails", async () => {
  assert.deepEqual(await run("export {};"), { code: 1, last: "0 passed, 0 failed" });
  assert.equal((await run(`import "./missing.ts";`)).code, 1);
  assert.match((await run(`import "./missing.ts";`)).last ?? "", /^0 passed, 1 failed$/);
});
