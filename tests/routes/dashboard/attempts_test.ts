/** How many sign-ins may fail. */
import assert from "node:assert/strict";
import { createAttempts } from "../../../routes/dashboard/attempts.ts";

Deno.test("an address has ten failures in five minutes, whatever keys it tries", () => {
  let now = 0;
  const attempts = createAttempts(() => now);
  for (let n = 0; n < 10; n++) {
    assert.equal(attempts.wait({ address: "a", key: `${n}` }), undefined);
    attempts.failed({ address: "a", key: `${n}` });
  }
  now = 60_000;
  assert.equal(attempts.wait({ address: "a", key: "new" }), 240);
  assert.equal(attempts.wait({ address: "b", key: "3" }), undefined, "its owner is elsewhere");
  now = 300_000;
  assert.equal(attempts.wait({ address: "a", key: "new" }), undefined);
});

Deno.test("a key has a hundred failures from all addresses together", () => {
  const attempts = createAttempts(() => 0);
  for (let n = 0; n < 100; n++) attempts.failed({ address: `${n}`, key: "k" });
  assert.equal(attempts.wait({ address: "another", key: "k" }), 300);
  assert.equal(attempts.wait({ address: "another", key: "l" }), undefined);
});
