import { deepEqual, equal, ok } from "node:assert/strict";
import { Failure, type FailureKind } from "../../codecs/failure.ts";
import type { S3Code } from "../../codecs/s3_codes.ts";
import { s3Error } from "../../codecs/s3_errors.ts";

Deno.test("each kind of failure has its S3 code and status", () => {
  const expected: Record<Exclude<FailureKind, "internal">, [string, number]> = {
    "not-found": ["NoSuchKey", 404],
    "denied": ["AccessDenied", 403],
    "throttled": ["SlowDown", 503],
    "invalid": ["InvalidRequest", 400],
    "conflict": ["OperationAborted", 409],
    "precondition": ["PreconditionFailed", 412],
    "too-large": ["EntityTooLarge", 400],
    "unsupported": ["NotImplemented", 501],
    "unavailable": ["ServiceUnavailable", 503],
  };
  for (const [kind, [code, status]] of Object.entries(expected)) {
    deepEqual(s3Error(new Failure(kind as FailureKind, "What to do.")), {
      code,
      status,
      message: "What to do.",
      fields: {},
      // Who is throttled is always told how long to wait.
      retryAfterSeconds: kind === "throttled" ? 1 : undefined,
    });
  }
});

Deno.test("a failure's own S3 code decides over its kind", () => {
  const cases: [FailureKind, S3Code, number][] = [
    ["invalid", "BadDigest", 400],
    ["invalid", "InvalidRange", 416],
    ["invalid", "MissingContentLength", 411],
    ["denied", "SignatureDoesNotMatch", 403],
    ["denied", "ExpiredToken", 400],
    ["not-found", "NoSuchBucket", 404],
    ["conflict", "BucketNotEmpty", 409],
  ];
  for (const [kind, code, status] of cases) {
    const error = s3Error(new Failure(kind, "Sentence.", { s3: code }));
    deepEqual([error.code, error.status], [code, status]);
  }
});

Deno.test("fields are passed on and the time to wait is whole seconds", () => {
  const error = s3Error(
    new Failure("throttled", "Sentence.", { fields: { Key: "k" }, retryAfterSeconds: 1.2 }),
  );
  deepEqual(error.fields, { Key: "k" });
  equal(error.retryAfterSeconds, 2);
  equal(s3Error(new Failure("throttled", "s", { retryAfterSeconds: 0 })).retryAfterSeconds, 0);
  equal(s3Error(new Failure("throttled", "s", { retryAfterSeconds: -3 })).retryAfterSeconds, 0);
});

Deno.test("nothing of an internal failure or of a foreign error reaches the client", () => {
  const thrown = [
    new Failure("internal", "secret", { s3: "AccessDenied", fields: { Secret: "secret" } }),
    new TypeError("secret"),
    "secret",
    undefined,
  ];
  for (const failure of thrown) {
    const error = s3Error(failure);
    deepEqual([error.code, error.status], ["InternalError", 500]);
    ok(!JSON.stringify(error).includes("secret"));
  }
});
