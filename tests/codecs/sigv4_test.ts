import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import {
  canonicalPath,
  canonicalQuery,
  canonicalRequest,
  parseAuthorization,
  presignedPayloadHash,
  sha256Hex,
  signature,
  signingKey,
  signRequest,
  stringToSign,
  verifySignature,
} from "../../codecs/sigv4.ts";

const accessKeyId = "AKIDEXAMPLE";
const secretAccessKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const region = "us-west-2";
const timestamp = "20240102T030405Z";
const date = new Date("2024-01-02T03:04:05Z");
const emptyHash = sha256Hex("");

Deno.test("a request with an unsigned host or x-amz header is refused", () => {
  const credentials = { accessKeyId, secretAccessKey };
  const headers = new Headers({ host: "localhost" });
  const request = { method: "GET", path: "/b/k", query: "", headers, payloadHash: emptyHash };
  signRequest({ ...request, service: "s3", region, credentials, date });
  const claimed = parseAuthorization(headers.get("authorization") ?? "");
  assert.ok(claimed);
  headers.set("x-model-provider", "openai");
  assert.equal(verifySignature(request, claimed, secretAccessKey), true);
  headers.set("x-amz-acl", "public-read");
  assert.equal(verifySignature(request, claimed, secretAccessKey), false);
  headers.delete("x-amz-acl");

  const signedHeaders = claimed.signedHeaders.filter((name) => name !== "host");
  const canonical = canonicalRequest(request, "/b/k", signedHeaders);
  const key = signingKey(secretAccessKey, claimed);
  const without = { ...claimed, signedHeaders };
  assert.equal(
    verifySignature(
      request,
      { ...without, signature: signature(key, stringToSign(timestamp, claimed, canonical)) },
      secretAccessKey,
    ),
    false,
  );
});

Deno.test("Date may stand for x-amz-date; a request without a time or of another day is refused", () => {
  const scope = { date: "20240102", region, service: "s3" };
  const headers = new Headers({ host: "localhost", date: "Tue, 02 Jan 2024 03:04:05 GMT" });
  const signedHeaders = ["date", "host"];
  const request = { method: "GET", path: "/b/k", query: "", headers, payloadHash: emptyHash };
  const canonical = canonicalRequest(request, "/b/k", signedHeaders);
  const key = signingKey(secretAccessKey, scope);
  const signed = signature(key, stringToSign(timestamp, scope, canonical));
  const claimed = { ...scope, accessKeyId, signedHeaders, signature: signed };
  assert.equal(verifySignature(request, claimed, secretAccessKey), true);
  headers.set("date", "Wed, 03 Jan 2024 03:04:05 GMT");
  const other = stringToSign(
    "20240103T030405Z",
    scope,
    canonicalRequest(request, "/b/k", signedHeaders),
  );
  const stale = { ...claimed, signature: signature(key, other) };
  assert.equal(verifySignature(request, stale, secretAccessKey), false);
  headers.delete("date");
  assert.equal(verifySignature(request, claimed, secretAccessKey), false);
});

Deno.test("an S3 path is signed as it is, other spellings as AWS makes of them", () => {
  const cases: [path: string, canonical: string][] = [
    ["", "/"],
    ["/", "/"],
    ["/b/a%20b%2B//../x", "/b/a%20b%2B//../x"],
    ["/b/a%2fb%c3%bc", "/b/a%2Fb%C3%BC"],
    ["/b/a(1)!+ü", "/b/a%281%29%21%2B%C3%BC"],
    ["/b/broken%zz ü", "/b/broken%zz %C3%BC"],
  ];
  for (const [path, canonical] of cases) assert.equal(canonicalPath(path, "s3"), canonical);
});

Deno.test("an S3 client that signs what it sends is verified as well", () => {
  const path = "/b/a(1).jsonl";
  const headers = new Headers({ host: "localhost", "x-amz-date": timestamp });
  const request = { method: "GET", path, query: "", headers, payloadHash: emptyHash };
  const scope = { date: "20240102", region, service: "s3" };
  const signedHeaders = ["host", "x-amz-date"];
  const key = signingKey(secretAccessKey, scope);
  for (const canonical of [path, "/b/a%281%29.jsonl"]) {
    const text = stringToSign(
      timestamp,
      scope,
      canonicalRequest(request, canonical, signedHeaders),
    );
    const claimed = { ...scope, accessKeyId, signedHeaders, signature: signature(key, text) };
    assert.equal(verifySignature(request, claimed, secretAccessKey), true, canonical);
    for (
      const other of ["/b/a(1)%2Ejson", "/b/a%25281%2529.jsonl", "/b//a(1).jsonl", "/B/a(1).jsonl"]
    ) {
      const changed = { ...request, path: other };
      assert.equal(verifySignature(changed, claimed, secretAccessKey), false, other);
    }
  }
});

Deno.test("an escaped slash may be signed as a slash, which names the same key, and not the reverse", () => {
  const headers = new Headers({ host: "localhost", "x-amz-date": timestamp });
  const scope = { date: "20240102", region, service: "s3" };
  const signedHeaders = ["host", "x-amz-date"];
  const verify = (sent: string, signed: string) => {
    const request = { method: "GET", path: sent, query: "", headers, payloadHash: emptyHash };
    const canonical = canonicalRequest(request, signed, signedHeaders);
    const text = stringToSign(timestamp, scope, canonical);
    const claimed = {
      ...scope,
      accessKeyId,
      signedHeaders,
      signature: signature(signingKey(secretAccessKey, scope), text),
    };
    return verifySignature(request, claimed, secretAccessKey);
  };
  assert.equal(verify("/b/a%2Fb", "/b/a%2Fb"), true);
  assert.equal(verify("/b/a%2fb", "/b/a/b"), true);
  assert.equal(verify("/b/a/b", "/b/a%2Fb"), false);
  assert.equal(verify("/b/a%252Fb", "/b/a/b"), false);
  // Another key, so another signature.
  assert.equal(verify("/b/a+b", "/b/a%20b"), false);
  assert.equal(verify("/b/a%20b", "/b/a+b"), false);
});

Deno.test("the payload hash of a presigned request is its header's, its query's, or none", () => {
  const none = new Headers();
  assert.equal(presignedPayloadHash([["x-id", "GetObject"]], none), "UNSIGNED-PAYLOAD");
  assert.equal(presignedPayloadHash([["X-Amz-Content-Sha256", emptyHash]], none), emptyHash);
  assert.equal(presignedPayloadHash([["x-amz-content-sha256", emptyHash]], none), emptyHash);
  const headers = new Headers({ "x-amz-content-sha256": emptyHash });
  assert.equal(presignedPayloadHash([], headers), emptyHash);
});

Deno.test("a query is sorted by its encoded names and values, flags get an equals sign", () => {
  assert.equal(canonicalQuery("b=2&a&b=1&B=%7e%2f+&b=10"), "B=~%2F%2B&a=&b=1&b=10&b=2");
  assert.equal(canonicalQuery("a-b=1&a=2&a%20=3"), "a=2&a%20=3&a-b=1");
  assert.equal(canonicalQuery(""), "");
  assert.equal(canonicalQuery("X-Amz-Signature=00&x=1"), "x=1");
  assert.throws(() => canonicalQuery("a=%zz"), Failure);
});

Deno.test("header values are trimmed, spaces within made one, and bytes kept", () => {
  const headers = new Headers({ host: "h", "x-amz-meta-a": "  a \t b  c ", "x-amz-meta-b": "Ã¼" });
  const request = { method: "GET", path: "/", query: "", headers, payloadHash: "P" };
  const canonical = canonicalRequest(request, "/", ["host", "x-amz-meta-a", "x-amz-meta-b"]);
  assert.equal(
    canonical,
    "GET\n/\n\nhost:h\nx-amz-meta-a:a b c\nx-amz-meta-b:Ã¼\n\nhost;x-amz-meta-a;x-amz-meta-b\nP",
  );
  // On the wire the value was the two bytes of "ü" in UTF-8, and those bytes are what is hashed.
  assert.equal(
    sha256Hex(canonical),
    sha256Hex(new TextEncoder().encode(canonical.replaceAll("Ã¼", "ü"))),
  );
});

Deno.test("signing replaces what an earlier signature left behind", () => {
  const headers = new Headers({
    host: "localhost",
    authorization: "AWS4-HMAC-SHA256 old",
    "x-amz-date": "20200101T000000Z",
    "x-amz-security-token": "old",
    "x-amz-content-sha256": "old",
  });
  signRequest({
    method: "GET",
    path: "/model-invocation-jobs",
    query: "",
    headers,
    service: "bedrock",
    region,
    credentials: { accessKeyId, secretAccessKey },
    payloadHash: emptyHash,
    date,
  });
  assert.deepEqual([...headers.keys()].sort(), ["authorization", "host", "x-amz-date"]);
  assert.equal(headers.get("x-amz-date"), timestamp);
});

Deno.test("a request without a host cannot be signed", () => {
  const credentials = { accessKeyId, secretAccessKey };
  const request = { method: "GET", path: "/", query: "", headers: new Headers(), payloadHash: "" };
  assert.throws(
    () => signRequest({ ...request, service: "s3", region, credentials, date }),
    TypeError,
  );
});

Deno.test("signing keys stay right when more of them are asked for than are kept", () => {
  const scope = { date: "20240102", region, service: "s3" };
  const first = signingKey(secretAccessKey, scope).slice();
  const made = new Set<string>();
  for (let at = 0; at < 200; at++) made.add(signature(signingKey(`secret ${at}`, scope), ""));
  assert.equal(made.size, 200);
  assert.deepEqual(signingKey(secretAccessKey, scope).slice(), first);
});
