import assert from "node:assert/strict";
import { counts, finish, resultsOf, start } from "./results_world.ts";
import { createJobWorld } from "./world.ts";

const line = (id: string, n?: number) =>
  `${JSON.stringify({ id, ...(n !== undefined && { n }) })}\n`;

/** The results and the message of a job with these records, whose provider answers these lines. */
async function end(records: readonly string[], lines: readonly string[], total = records.length) {
  using world = await createJobWorld({ virtual: true });
  world.cloud.addFile("file-in", {}, records.map((id) => line(id)).join(""));
  const job = await start(world, [lines.join("")]);
  const { message } = await finish(world, job, { counts: counts(total) });
  return { results: await resultsOf(world, job), message };
}

const kept: readonly [string, readonly string[], readonly string[]][] = [
  ["one id for three of four", ["a", "a", "a", "b"], [
    line("a", 1),
    line("a", 2),
    line("a", 3),
    line("b", 4),
  ]],
  ["answers that are alike", ["a", "a"], [line("a"), line("a")]],
  ["one id for all", ["x", "x", "x"], [line("x", 1), line("x", 1), line("x", 2)]],
  ["one id for two, one of them lost", ["a", "a", "b", "c"], [
    line("a", 1),
    line("a", 2),
    line("b", 3),
  ]],
];
for (const [what, records, lines] of kept) {
  Deno.test(`records of ${what} keep every answer`, async () => {
    const { results, message } = await end(records, lines);
    assert.equal(results, lines.join(""));
    if (lines.length === records.length) assert.equal(message, undefined);
    else assert.match(message ?? "", /^The provider's results lack 1 of 4 records/);
  });
}

Deno.test("where there are more lines than records, lines that came twice are left out, and no answers", async () => {
  const lines = [line("a", 1), line("a", 2), line("b", 3), line("b", 3)];
  const { results, message } = await end(["a", "a", "b"], lines);
  assert.equal(results, lines.slice(0, 3).join(""));
  assert.match(message ?? "", /^1 line of the provider's results was left out/);
});

Deno.test("records with ids of their own are kept once, also where another was lost", async () => {
  const { results, message } = await end(["a", "b", "c"], [line("a"), line("a", 2), line("b")]);
  assert.equal(results, line("a") + line("b"));
  assert.match(message ?? "", /lack 1 of 3 records: "c"\. 1 line .*: "a"\.$/);
});

Deno.test("an input that cannot be read takes no answer away", async () => {
  using world = await createJobWorld({ virtual: true });
  const job = await start(world, [line("a", 1) + line("a", 2)]);
  world.cloud.before = (call) => {
    if (call === "files.read") throw new Error("It cannot be read");
  };
  await finish(world, job, { counts: counts(2) });
  assert.equal(await resultsOf(world, job), line("a", 1) + line("a", 2));
});
