import assert from "node:assert/strict";
import {
  type ErrorWording,
  excerpt,
  type Refusal,
  refusalFailure,
  TransportError,
  transportFailure,
} from "../../providers/failures.ts";

const wording: ErrorWording = {
  deniedAdvice: "Check the key.",
  read: () => undefined,
  codes: { spent: "no-credit", BAD_KEY: "denied" },
};

const refusal = (some: Partial<Refusal>): Refusal => ({
  provider: "p",
  status: 400,
  facts: { codes: [], reason: undefined },
  wording,
  idempotent: true,
  secrets: [],
  ...some,
});

Deno.test("each status has its class of failure", () => {
  const kinds = {
    400: "invalid",
    401: "denied",
    402: "denied",
    403: "denied",
    404: "not-found",
    408: "unavailable",
    409: "unavailable",
    410: "not-found",
    413: "too-large",
    418: "unavailable",
    422: "invalid",
    429: "throttled",
    500: "unavailable",
    503: "unavailable",
    529: "unavailable",
  };
  for (const [status, kind] of Object.entries(kinds)) {
    assert.equal(refusalFailure(refusal({ status: Number(status) })).kind, kind, status);
  }
});

Deno.test("a code says more than the status, and a call may give a status another meaning", () => {
  const coded = (code: string, status: number) =>
    refusalFailure(refusal({ status, facts: { codes: [code], reason: undefined } }));
  assert.equal(coded("BAD_KEY", 400).kind, "denied");
  assert.equal(coded("constructor", 400).kind, "invalid");
  const spent = coded("spent", 429);
  assert.equal(spent.kind, "denied");
  assert.equal(spent.details.bedrock, "ServiceQuotaExceededException");
  assert.equal(
    refusalFailure(refusal({ status: 403, statuses: { 403: "not-found" } })).kind,
    "not-found",
  );
});

Deno.test("a page that is not of the API's form never means that a file is gone", () => {
  for (const status of [400, 403, 404, 409, 410]) {
    assert.equal(refusalFailure(refusal({ status, facts: undefined })).kind, "unavailable");
  }
  assert.equal(refusalFailure(refusal({ status: 429, facts: undefined })).kind, "throttled");
  assert.equal(refusalFailure(refusal({ status: 413, facts: undefined })).kind, "too-large");
});

Deno.test("only a request that may have been carried out has an unknown outcome", () => {
  const unknown = (some: Partial<Refusal>) =>
    refusalFailure(refusal({ idempotent: false, ...some })).details.outcomeUnknown ?? false;
  assert.equal(unknown({ status: 500 }), true);
  assert.equal(unknown({ status: 408 }), true);
  assert.equal(unknown({ status: 400, facts: undefined }), true);
  assert.equal(unknown({ status: 400 }), false);
  assert.equal(unknown({ status: 429 }), false);
  assert.equal(unknown({ status: 500, idempotent: true }), false);
  const lost = (unsent: boolean) =>
    transportFailure("p", new TransportError("x", { unsent }), false).details.outcomeUnknown;
  assert.equal(lost(false), true);
  assert.equal(lost(true), undefined);
});

Deno.test("the provider's reason is shown for what the caller can mend, and for nothing else", () => {
  const reason = "no such field: 'x'";
  const facts = { codes: [], reason };
  assert.match(refusalFailure(refusal({ facts })).message, /no such field: 'x'/);
  for (const status of [401, 403, 404, 409, 413, 429, 500]) {
    assert.doesNotMatch(refusalFailure(refusal({ status, facts })).message, /no such field/);
  }
});

Deno.test("an excerpt holds no key, no control character and no more than its limit", () => {
  const text = "Bad\u0000 key\nsk-proj-abcdef123 or AIzaSyA-1234567890 or\tBearer abc.def " +
    "\u202Eand secret-42 and AKIAIOSFODNN7EXAMPLE";
  assert.equal(
    excerpt(text, ["secret-42", ""]),
    "Bad key [masked] or [masked] or [masked] and [masked] and [masked]",
  );
  const long = excerpt("😀".repeat(400), []);
  assert.ok(long.length <= 300 && long.endsWith("😀…"));
  assert.equal(excerpt("x".repeat(300), []).length, 300);
});
