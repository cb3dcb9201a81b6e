import assert from "node:assert/strict";
import { createDigestTap, declaredDigests } from "../../codecs/checksums.ts";
import { Failure } from "../../codecs/failure.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const failure = (code: string) => (error: unknown) =>
  error instanceof Failure && error.kind === "invalid" && error.details.s3 === code;

/** Of "hello", as AWS's clients compute them. */
const hello: Record<string, string> = {
  "x-amz-checksum-crc32": "NhCmhg==",
  "x-amz-checksum-crc32c": "mnG7TA==",
  "x-amz-checksum-crc64nvme": "M3eFcAZSQlc=",
  "x-amz-checksum-sha1": "qvTGHdzF6KLavt4PO0gs2a6pQ00=",
  "x-amz-checksum-sha256": "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
  "content-md5": "XUFAKrxLKna5cZ2REBfFkg==",
  "x-amz-content-sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
};

/** Of "123456789", the usual check values. */
const nine: Record<string, string> = {
  "x-amz-checksum-crc32": "cbf43926",
  "x-amz-checksum-crc32c": "e3069283",
  "x-amz-checksum-crc64nvme": "ae8b14860a799888",
};

async function verify(headers: Record<string, string>, pieces: Iterable<Uint8Array>) {
  const tap = await createDigestTap(declaredDigests(new Headers(headers)));
  for (const piece of pieces) tap.update(piece);
  return tap.verify();
}

const isChecksum = (header: string) => header.startsWith("x-amz-checksum-");

for (const [header, value] of Object.entries(hello)) {
  Deno.test(`${header} is verified, and echoed if it is a checksum`, async () => {
    const echoed = isChecksum(header) ? { [header]: value } : {};
    assert.deepEqual(await verify({ [header]: value }, [encode("hello")]), echoed);
    // Pieces of a larger buffer, an empty one among them.
    const larger = encode("..hello..");
    const pieces = [larger.subarray(2, 4), new Uint8Array(), larger.subarray(4, 7)];
    assert.deepEqual(await verify({ [header]: value }, pieces), echoed);
  });

  Deno.test(`${header} of other bytes is refused`, async () => {
    const code = header === "x-amz-content-sha256" ? "XAmzContentSHA256Mismatch" : "BadDigest";
    for (const text of ["hellp", "hell", "hello ", ""]) {
      await assert.rejects(verify({ [header]: value }, [encode(text)]), failure(code), text);
    }
  });
}

for (const [header, hex] of Object.entries(nine)) {
  Deno.test(`${header} of 123456789 has the known check value`, async () => {
    const value = Uint8Array.fromHex(hex).toBase64();
    assert.deepEqual(await verify({ [header]: value }, [encode("123456789")]), { [header]: value });
  });
}

Deno.test("the checksum of an empty body is verified", async () => {
  const header = "x-amz-checksum-crc32";
  assert.deepEqual(await verify({ [header]: "AAAAAA==" }, []), { [header]: "AAAAAA==" });
});

Deno.test("several digests of one body are all verified", async () => {
  const { "x-amz-checksum-sha256": sha256, "x-amz-content-sha256": hex, "content-md5": md5 } =
    hello;
  const all = {
    "x-amz-checksum-sha256": `${sha256}`,
    "x-amz-content-sha256": `${hex}`.toUpperCase(),
    "content-md5": `${md5}`,
  };
  assert.deepEqual(await verify(all, [encode("hello")]), { "x-amz-checksum-sha256": sha256 });
  const wrong = { ...all, "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" };
  await assert.rejects(verify(wrong, [encode("hello")]), failure("BadDigest"));
});

Deno.test("a checksum that comes as a trailer is verified and echoed", async () => {
  const headers = new Headers({
    "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "x-amz-trailer": " X-Amz-Checksum-CRC32 ,x-other",
  });
  const make = async () => {
    const tap = await createDigestTap(declaredDigests(headers));
    tap.update(encode("hello"));
    return tap;
  };
  const right = await make();
  right.trailer("x-amz-trailer-signature", "00");
  right.trailer("X-Amz-Checksum-Crc32", "NhCmhg==");
  assert.deepEqual(right.verify(), { "x-amz-checksum-crc32": "NhCmhg==" });

  const wrong = await make();
  wrong.trailer("x-amz-checksum-crc32", "NhCmhw==");
  assert.throws(() => wrong.verify(), failure("BadDigest"));

  const malformed = await make();
  assert.throws(() => malformed.trailer("x-amz-checksum-crc32", "bad"), failure("InvalidRequest"));

  const missing = await make();
  missing.trailer("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00=");
  assert.throws(() => missing.verify(), failure("InvalidRequest"));
});

Deno.test("a checksum in a header and again in a trailer must be right in both", async () => {
  const headers = new Headers({
    "x-amz-trailer": "x-amz-checksum-crc32",
    "x-amz-checksum-crc32": "NhCmhg==",
  });
  const tap = await createDigestTap(declaredDigests(headers));
  tap.update(encode("hello"));
  tap.trailer("x-amz-checksum-crc32", "AAAAAA==");
  assert.throws(() => tap.verify(), failure("BadDigest"));
});

Deno.test("nothing declared, or only what is not verified, lets any body pass", async () => {
  const cases: Record<string, string>[] = [
    {},
    { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
    { "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" },
    { "x-amz-checksum-xxhash64": "AAAAAAAAAAA=", "x-amz-checksum-sha512": "?" },
    { "x-amz-trailer": "x-amz-checksum-xxhash3" },
    { "x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "FULL_OBJECT" },
    { "x-amz-sdk-checksum-algorithm": "CRC32", "x-amz-checksum-mode": "ENABLED" },
  ];
  for (const headers of cases) {
    assert.deepEqual(declaredDigests(new Headers(headers)), [], JSON.stringify(headers));
    assert.deepEqual(await verify(headers, [encode("anything")]), {});
  }
});

Deno.test("a value that cannot be a digest is refused at once", () => {
  const cases: [header: string, value: string, code: string][] = [
    ["content-md5", "bad", "InvalidDigest"],
    ["content-md5", "", "InvalidDigest"],
    ["content-md5", "5d41402abc4b2a76b9719d911017c592", "InvalidDigest"],
    ["content-md5", "XUFAKrxLKna5cZ2REBfFkgA=", "InvalidDigest"],
    ["content-md5", "XUFAKrxLKna5cZ2REBfFkg", "InvalidDigest"],
    ["x-amz-checksum-crc32", "bad", "InvalidRequest"],
    ["x-amz-checksum-crc32", "", "InvalidRequest"],
    ["x-amz-checksum-crc32", "NhCmhg", "InvalidRequest"],
    ["x-amz-checksum-crc32", "NhCmhgAA", "InvalidRequest"],
    ["x-amz-checksum-crc32", "Nh-mhg==", "InvalidRequest"],
    ["x-amz-checksum-sha256", "NhCmhg==", "InvalidRequest"],
    ["x-amz-checksum-crc32", "NhCmhg==-2", "InvalidRequest"],
    ["x-amz-content-sha256", "abc", "InvalidArgument"],
    ["x-amz-content-sha256", "g".repeat(64), "InvalidArgument"],
  ];
  for (const [header, value, code] of cases) {
    assert.throws(
      () => declaredDigests(new Headers({ [header]: value })),
      failure(code),
      `${header}: ${value}`,
    );
  }
});

Deno.test("checksums of two kinds are refused, in headers and trailers together", () => {
  const cases: Record<string, string>[] = [
    { "x-amz-checksum-crc32": "NhCmhg==", "x-amz-checksum-crc32c": "mnG7TA==" },
    { "x-amz-checksum-crc32": "NhCmhg==", "x-amz-trailer": "x-amz-checksum-sha1" },
  ];
  for (const headers of cases) {
    assert.throws(() => declaredDigests(new Headers(headers)), failure("InvalidRequest"));
  }
});

Deno.test("no failure repeats a value that the client sent", () => {
  assert.throws(
    () => declaredDigests(new Headers({ "content-md5": "customer-secret" })),
    (error) => error instanceof Failure && !error.message.includes("customer-secret"),
  );
});
