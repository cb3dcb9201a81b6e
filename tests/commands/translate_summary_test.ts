import assert from "node:assert/strict";
import { summaryText, Tally } from "../../commands/translate_summary.ts";
import type { Loss } from "../../dialects/loss.ts";

const loss = (path: string, more: Partial<Loss> = {}): Loss => ({
  kind: "dropped",
  path,
  reason: "no counterpart",
  hint: false,
  ...more,
});

Deno.test("losses at one place are counted together, whatever their indices", () => {
  const tally = new Tally();
  for (let at = 0; at < 5; at++) tally.lost(at + 1, loss(`params.messages[${at}].content[0]`));
  tally.lost(9, loss("params.top_k", { hint: true }));
  const { losses, meaningful } = tally.counted;
  assert.deepEqual(losses.map(({ path, count }) => [path, count]), [
    ["params.messages[].content[]", 5],
    ["params.top_k", 1],
  ]);
  assert.equal(meaningful.length, 5);
  assert.equal(meaningful[0], "line 1: params.messages[0].content[0] dropped: no counterpart");
});

Deno.test("names of users' own cannot make the summary grow without end", () => {
  const tally = new Tally();
  for (let at = 0; at < 3_000; at++) {
    tally.lost(at, loss(`request.made_up_${at}`));
    tally.broken(at, `reason ${at}`);
  }
  const { losses, broken, meaningful } = tally.counted;
  assert.equal(losses.length, 1_001);
  assert.equal(losses.reduce((sum, { count }) => sum + count, 0), 3_000);
  assert.equal(broken.length, 1_001);
  assert.equal(broken.flatMap(({ lines }) => lines).length, 3_000);
  assert.equal(meaningful.length, 10);
});

Deno.test("the summary is sentences, a line each", () => {
  const tally = new Tally();
  tally.records = 3;
  tally.lines = 2;
  tally.broken(4, "not valid JSON");
  tally.broken(5, "not valid JSON");
  tally.refused(2, "body.messages[0]: the target takes no video");
  tally.lost(1, loss("body.seed", { kind: "approximated" }));
  const facts = { from: "openai-chat", to: "gemini", model: null, numberedIds: 1 } as const;
  assert.deepEqual(summaryText({ ...tally.counted, ...facts }).split("\n"), [
    "3 records of openai-chat: 2 lines of gemini written, 1 refused, 2 broken.",
    "Broken: lines 4-5: not valid JSON.",
    "Refused: line 2: body.messages[]: the target takes no video.",
    "Approximated 1×: body.seed: no counterpart.",
    "Ids that became record numbers, as they repeat or do not fit gemini: 1.",
  ]);
});
