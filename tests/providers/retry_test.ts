import assert from "node:assert/strict";
import { backoff, requestedDelay, retryable } from "../../providers/retry.ts";

const now = new Date("2026-11-24T12:00:00Z");

Deno.test("x-should-retry wins over the status", () => {
  assert.equal(retryable(400, new Headers({ "x-should-retry": "true" })), true);
  assert.equal(retryable(503, new Headers({ "x-should-retry": "false" })), false);
});

Deno.test("408, 409, 429 and server errors are tried again, other refusals are not", () => {
  const headers = new Headers();
  for (const status of [408, 409, 429, 500, 503, 529]) assert.ok(retryable(status, headers));
  for (const status of [400, 401, 403, 404, 413, 422]) assert.ok(!retryable(status, headers));
});

Deno.test("the wait is read from milliseconds, seconds or a date, in this order", () => {
  const delay = (headers: Record<string, string>) => requestedDelay(new Headers(headers), now);
  assert.equal(delay({ "retry-after-ms": "250.5", "retry-after": "9" }), 250.5);
  assert.equal(delay({ "retry-after": "1.5" }), 1500);
  assert.equal(delay({ "retry-after": "Tue, 24 Nov 2026 12:00:30 GMT" }), 30_000);
  assert.equal(delay({ "retry-after": "Tue, 24 Nov 2026 11:00:00 GMT" }), 0);
  // Both are the provider's own times: this machine's clock may be an hour off.
  assert.equal(
    delay({
      "retry-after": "Tue, 24 Nov 2026 13:00:30 GMT",
      "date": "Tue, 24 Nov 2026 13:00:00 GMT",
    }),
    30_000,
  );
  assert.equal(delay({ "retry-after": "soon" }), undefined);
  assert.equal(delay({}), undefined);
});

Deno.test("without a wait asked for it doubles from half a second to eight, less up to a quarter", () => {
  const full = (attempt: number) => backoff(attempt, (bytes) => bytes.fill(0));
  assert.deepEqual([0, 1, 2, 3, 4, 9].map(full), [500, 1000, 2000, 4000, 8000, 8000]);
  assert.equal(backoff(4, (bytes) => bytes.fill(255)), 6000);
});
