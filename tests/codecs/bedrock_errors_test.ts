import { deepEqual, equal, ok } from "node:assert/strict";
import { bedrockError, renderBedrockError } from "../../codecs/bedrock_errors.ts";
import { Failure, type FailureKind } from "../../codecs/failure.ts";

Deno.test("each kind of failure has its Bedrock exception and status", () => {
  const expected: Record<Exclude<FailureKind, "internal">, [string, number]> = {
    "not-found": ["ResourceNotFoundException", 404],
    "denied": ["AccessDeniedException", 403],
    "throttled": ["ThrottlingException", 429],
    "invalid": ["ValidationException", 400],
    "conflict": ["ConflictException", 400],
    "precondition": ["ValidationException", 400],
    "too-large": ["ValidationException", 400],
    "unsupported": ["ValidationException", 400],
    "unavailable": ["ServiceUnavailableException", 503],
  };
  for (const [kind, [code, status]] of Object.entries(expected)) {
    const error = bedrockError(new Failure(kind as FailureKind, "What to do."));
    deepEqual([error.code, error.status, error.message], [code, status, "What to do."]);
  }
});

Deno.test("a failure's own exception decides, and its S3 code does not", () => {
  const details = { bedrock: "ServiceQuotaExceededException", s3: "SlowDown" } as const;
  const quota = bedrockError(new Failure("throttled", "Sentence.", details));
  deepEqual([quota.code, quota.status], ["ServiceQuotaExceededException", 400]);
  const s3Only = bedrockError(new Failure("invalid", "Sentence.", { s3: "BadDigest" }));
  deepEqual([s3Only.code, s3Only.status], ["ValidationException", 400]);
});

Deno.test("an error is rendered in the header and the body that SDKs read", () => {
  const failure = new Failure("throttled", 'Wait, "please".', { retryAfterSeconds: 26.1 });
  const { status, headers, body } = renderBedrockError(failure, "0-1-2");
  equal(status, 429);
  const sent = new Headers(headers);
  equal(sent.get("x-amzn-ErrorType"), "ThrottlingException");
  equal(sent.get("x-amzn-RequestId"), "0-1-2");
  equal(sent.get("content-type"), "application/json");
  equal(sent.get("retry-after"), "27");
  deepEqual(JSON.parse(body), { message: 'Wait, "please".' });
});

Deno.test("Retry-After is a second where the provider did not say, and is left out where waiting does not help", () => {
  const { headers } = renderBedrockError(new Failure("throttled", "Sentence."), "id");
  equal(new Headers(headers).get("retry-after"), "1");
  const invalid = renderBedrockError(new Failure("invalid", "A sentence"), "id");
  equal(new Headers(invalid.headers).get("retry-after"), null);
  deepEqual(JSON.parse(invalid.body), { message: "A sentence." });
});

Deno.test("nothing of an internal failure or of a foreign error reaches the client", () => {
  const internal = new Failure("internal", "secret", { fields: { Key: "secret" } });
  for (const failure of [internal, new Error("secret"), null]) {
    const rendered = renderBedrockError(failure, "id");
    equal(rendered.status, 500);
    equal(rendered.headers["x-amzn-errortype"], "InternalServerException");
    ok(!JSON.stringify(rendered).includes("secret"));
  }
});
