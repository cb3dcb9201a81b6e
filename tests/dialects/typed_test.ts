/** What the compiler was shown in `typed.ts` is what the translator writes. */
import assert from "node:assert/strict";
import { isDialectName } from "../../dialects/names.ts";
import type { DialectName } from "../../dialects/names.ts";
import { back, sentBody } from "./records.ts";
import { rich } from "./rich.ts";
import { answers, originals, requests } from "./typed.ts";

function dialect(name: string): DialectName {
  assert(isDialectName(name));
  return name;
}

function richBody(name: string): string {
  const body = Object.entries(rich).find(([form]) => form === name)?.[1];
  assert(body !== undefined);
  return body;
}

for (const [to, bodies] of Object.entries(requests)) {
  Deno.test(`Requests to ${to} are of the official types`, () => {
    assert.equal(Object.keys(bodies).length, 4);
    for (const [from, typed] of Object.entries(bodies)) {
      const body = sentBody(richBody(from), { from: dialect(from), to: dialect(to) });
      assert.deepEqual(JSON.parse(body), typed, from);
    }
  });
}

for (const [from, bodies] of Object.entries(answers)) {
  Deno.test(`Answers in ${from} are of the official types`, () => {
    for (const [to, typed] of Object.entries(bodies)) {
      const answer = originals[to];
      assert(answer !== undefined);
      const { body } = back(answer, { from: dialect(from), to: dialect(to) });
      assert.deepEqual(JSON.parse(body), typed, to);
    }
  });
}
