import assert from "node:assert/strict";
import { Failure } from "../../../codecs/failure.ts";
import {
  requestHeaders,
  responseHeaders,
  withoutPresigning,
} from "../../../providers/aws/headers.ts";

const presignedV4 = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20260101%2Fr%2Fs3%2F" +
  "aws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host" +
  "&X-Amz-Security-Token=T&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Signature=abc";

const queries: [name: string, query: string, rest: string, headers: Record<string, string>][] = [
  ["nothing", "", "", {}],
  [
    "a plain query",
    "list-type=2&prefix=a%2fb+c&x-amz-acl=private",
    "list-type=2&prefix=a%2fb+c&x-amz-acl=private",
    {},
  ],
  ["a flag", "uploads", "uploads", {}],
  [
    "a signature of version 4",
    `versionId=1&${presignedV4}&x-id=GetObject`,
    "versionId=1&x-id=GetObject",
    {},
  ],
  ["headers in a presigned query", `${presignedV4}&x-amz-acl=private&x-amz-meta-A=b%20c`, "", {
    "x-amz-acl": "private",
    "x-amz-meta-a": "b c",
  }],
  [
    "the checksum of an empty body in a presigned query",
    `${presignedV4}&x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32`,
    "x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32",
    {},
  ],
  [
    "a signature of version 2",
    "AWSAccessKeyId=AK&Signature=a%2Bb%3D&Expires=1&x-amz-security-token=T&response-expires=x",
    "response-expires=x",
    {},
  ],
  [
    "parameters that only look like version 2",
    "Expires=1&Signature=x",
    "Expires=1&Signature=x",
    {},
  ],
];
for (const [name, query, rest, found] of queries) {
  Deno.test(`taking the signature out of ${name} leaves the rest as it was`, () => {
    const headers = new Headers();
    assert.equal(withoutPresigning(query, headers), rest);
    assert.deepEqual(Object.fromEntries(headers), found);
  });
}

Deno.test("a header of the request counts for more than one in its presigned query", () => {
  const headers = new Headers({ "x-amz-acl": "private" });
  withoutPresigning(`${presignedV4}&x-amz-acl=public-read`, headers);
  assert.equal(headers.get("x-amz-acl"), "private");
});

for (const value of ["a%0D%0Ax: y", "%zz", "%F0%9F%98%80"]) {
  Deno.test(`the presigned value ${value} cannot become a header`, () => {
    assert.throws(
      () => withoutPresigning(`${presignedV4}&x-amz-meta-a=${value}`, new Headers()),
      (error) => error instanceof Failure && error.kind === "invalid",
    );
  });
}

Deno.test("headers that belong to one connection go no further, those it names included", () => {
  const from = new Headers({
    "connection": "close, X-Once, (not a name)",
    "x-once": "1",
    "keep-alive": "timeout=5",
    "transfer-encoding": "chunked",
    "te": "trailers",
    "content-type": "text/plain",
  });
  assert.deepEqual(responseHeaders(from, 200), [["content-type", "text/plain"]]);
  assert.deepEqual(Object.fromEntries(requestHeaders(from)), {
    "accept-encoding": "identity",
    "content-type": "text/plain",
  });
});

Deno.test("Location is passed on where it is not a redirect", () => {
  const from = new Headers({ location: "/bucket" });
  assert.equal(new Headers(responseHeaders(from, 200)).get("location"), "/bucket");
  assert.equal(new Headers(responseHeaders(from, 301)).get("location"), null);
});

Deno.test("what an upstream says about its own host is not passed on to clients of the gateway", () => {
  const from = new Headers({
    "set-cookie": "a=b",
    "refresh": "0; url=http://169.254.169.254/",
    "strict-transport-security": "max-age=1",
    "alt-svc": 'h3="evil.example:443"',
    "www-authenticate": "Basic",
    "etag": '"e"',
  });
  from.append("set-cookie", "c=d");
  assert.deepEqual(responseHeaders(from, 200).map(([name]) => name), ["etag"]);
});
