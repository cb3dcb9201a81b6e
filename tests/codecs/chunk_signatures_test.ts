import assert from "node:assert/strict";
import { awsChunkedDecoder } from "../../codecs/aws_chunked.ts";
import { createDigestTap, declaredDigests } from "../../codecs/checksums.ts";
import {
  type ChunkSigning,
  chunkSigningForm,
  verifyChunkSignatures,
} from "../../codecs/chunk_signatures.ts";
import { Failure } from "../../codecs/failure.ts";
import {
  canonicalRequest,
  sha256Hex,
  signature,
  signingKey,
  stringToSign,
} from "../../codecs/sigv4.ts";
import { verifiedStream } from "../../codecs/verified_stream.ts";

const timestamp = "20240102T030405Z";
const scope = { date: "20240102", region: "us-west-2", service: "s3" };
const key = signingKey("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", scope);
const line = '{"a":1}\n';
const checksum = ["x-amz-checksum-crc32", "Gxx+Pw=="] as const;
const mode = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";

/** Computed apart from this program; the seeds were cross-checked with botocore (November 2026). */
const vectors = {
  payload: {
    seed: "96886e7f1c571f0ee62cad1fa8649f02ab6d3f72d2d07e5a29cf755b8422db2a",
    chunks: [
      "30aa9fe88c092695270711e8e9126f1ed3fc5a43a40dc296575ec451b45f0055",
      "863bc3c5696cc42555f8eb809c5cd03124eb55e38d73e3e535cd57c06ac32e99",
      "6aad5db3df575771378269218580f1e097fec269e8b51dc9af1f7be256d93306",
    ],
    trailer: undefined,
  },
  trailer: {
    seed: "db6ce2f4185849a7157c14a9d0cb8963c6b9cf4c1c9d098de691775035d14a89",
    chunks: [
      "7003b63024773c994dd8babbfc41528495d36e49a4d22877539ffbac4b751384",
      "402192dc32802a5e5e7060898ad026a562e38c330dcac7b514b211477ecd05bc",
      "04679327bd585963f4114f4276a789526ac240462e3f7bd69083a0744b153a05",
    ],
    trailer: "0c99f16aec0056f6a5243523ca4209618fbb7eca133832aa9d6b25f78d410603",
  },
} as const;
type Form = keyof typeof vectors;

/** The headers of the request whose signature is the seed. */
function headersOf(form: Form): Headers {
  return new Headers({
    "content-encoding": "aws-chunked",
    host: "localhost:8080",
    "x-amz-content-sha256": form === "trailer" ? `${mode}-TRAILER` : mode,
    "x-amz-date": timestamp,
    "x-amz-decoded-content-length": "16",
    ...(form === "trailer" ? { "x-amz-trailer": checksum[0] } : {}),
  });
}

/** A frame of the body, and what ends it. */
interface Body {
  readonly data: readonly string[];
  readonly signatures: readonly (string | undefined)[];
  readonly end: string;
}

function bodyOf(form: Form): Body {
  const { chunks, trailer } = vectors[form];
  const lines = trailer === undefined
    ? ""
    : `${checksum.join(":")}\r\nx-amz-trailer-signature:${trailer}\r\n`;
  return { data: [line, line, ""], signatures: chunks, end: `${lines}\r\n` };
}

function encode({ data, signatures, end }: Body): Uint8Array {
  const frames = data.map((text, at) => {
    const sign = signatures[at];
    const extension = sign === undefined ? "" : `;chunk-signature=${sign}`;
    return `${text.length.toString(16)}${extension}\r\n${text}${text === "" ? "" : "\r\n"}`;
  });
  return new TextEncoder().encode(frames.join("") + end);
}

/** Decodes, verifies and drains a body as an upload does; tells what had come by the end. */
async function receive(form: Form, bytes: Uint8Array, cut = bytes.length, length = 16) {
  const headers = headersOf(form);
  const found = chunkSigningForm(headers);
  assert.ok(found);
  const tap = await createDigestTap(declaredDigests(headers));
  const trailers: string[] = [];
  const signing: ChunkSigning = {
    ...found,
    key,
    timestamp,
    scope,
    seed: vectors[form].seed,
    onTrailer(name, value) {
      trailers.push(`${name}:${value}`);
      tap.trailer(name, value);
    },
  };
  const pieces = [];
  for (let at = 0; at < bytes.length; at += cut) pieces.push(bytes.subarray(at, at + cut));
  const decoded = ReadableStream.from(pieces).pipeThrough(
    awsChunkedDecoder({
      decodedLength: length,
      minChunkBytes: 1,
      ...verifyChunkSignatures(signing),
    }),
  );
  let data = "";
  try {
    for await (const piece of verifiedStream(decoded, { length, tap }).stream) {
      data += new TextDecoder().decode(piece);
    }
    return { data, trailers };
  } catch (error) {
    return { data, trailers, error };
  }
}

const isFailure = (error: unknown, code: string) =>
  error instanceof Failure && error.details.s3 === code &&
  error.kind === (code === "SignatureDoesNotMatch" ? "denied" : "invalid");

for (const form of ["payload", "trailer"] as const) {
  Deno.test(`the seed of the ${form} vector is the request's own signature`, () => {
    const headers = headersOf(form);
    const canonical = canonicalRequest(
      {
        method: "PUT",
        path: "/bedrock/files/bkt/a%20b.jsonl",
        query: "",
        headers,
        payloadHash: headers.get("x-amz-content-sha256") ?? "",
      },
      "/bedrock/files/bkt/a%20b.jsonl",
      [...headers.keys()].sort(),
    );
    const text = stringToSign(timestamp, scope, canonical);
    assert.equal(signature(key, text), vectors[form].seed);
  });

  Deno.test(`a body of the ${form} form with right signatures passes, wherever it is cut`, async () => {
    const bytes = encode(bodyOf(form));
    const trailers = form === "trailer" ? [checksum.join(":")] : [];
    for (const cut of [1, 7, 64, bytes.length]) {
      assert.deepEqual(await receive(form, bytes, cut), { data: line + line, trailers });
    }
  });

  Deno.test(`a body of the ${form} form with anything changed breaks before its last byte`, async () => {
    const body = bodyOf(form);
    const [first, second, last] = body.signatures;
    const wrong = "0".repeat(64);
    const other = '{"a":2}\n';
    const bodies: Record<string, Body> = {
      "a first chunk with a wrong signature": { ...body, signatures: [wrong, second, last] },
      "a last chunk with a wrong signature": { ...body, signatures: [first, second, wrong] },
      "a last chunk without signature": { ...body, signatures: [first, second, undefined] },
      "no signatures": { ...body, signatures: [] },
      "a signature in upper case": {
        ...body,
        signatures: [first?.toUpperCase(), second, last],
      },
      "a signature that is cut": { ...body, signatures: [first?.slice(0, -1), second, last] },
      "swapped signatures": { ...body, signatures: [second, first, last] },
      "changed data in the first chunk": { ...body, data: [other, line, ""] },
      "changed data in the second chunk": { ...body, data: [line, other, ""] },
      "other boundaries": { ...body, data: [line.slice(1), `${line[0]}${line}`, ""] },
    };
    for (const [name, changed] of Object.entries(bodies)) {
      for (const cut of [1, 64, 10_000]) {
        const { data, trailers, error } = await receive(form, encode(changed), cut);
        assert.ok(isFailure(error, "SignatureDoesNotMatch"), `${name}: ${error}`);
        assert.ok(data.length < 16, `${name}: all came`);
        assert.deepEqual(trailers, [], name);
      }
    }
  });

  Deno.test(`a body of the ${form} form without its last chunk breaks before its last byte`, async () => {
    const body = bodyOf(form);
    for (const [data, length] of [[[line, line], 16], [[line], 16], [[line], 8]] as const) {
      const { data: came, error } = await receive(
        form,
        encode({ ...body, data, end: "" }),
        64,
        length,
      );
      assert.ok(isFailure(error, "IncompleteBody"), String(error));
      assert.ok(came.length < length);
    }
  });
}

Deno.test("two chunks that changed places are refused", async () => {
  // Different data, so that it is the order alone that is wrong.
  const other = '{"a":2}\n';
  const { seed } = vectors.payload;
  const signatures: string[] = [];
  for (const data of [line, other, ""]) {
    const before = signatures.at(-1) ?? seed;
    const text = [
      "AWS4-HMAC-SHA256-PAYLOAD",
      timestamp,
      "20240102/us-west-2/s3/aws4_request",
      before,
      sha256Hex(""),
      sha256Hex(data),
    ];
    signatures.push(signature(key, text.join("\n")));
  }
  const body = { data: [line, other, ""], signatures, end: "\r\n" };
  assert.equal((await receive("payload", encode(body))).data, line + other);
  const [first, second, last] = signatures;
  const swapped = { ...body, data: [other, line, ""], signatures: [second, first, last] };
  const { data, error } = await receive("payload", encode(swapped), 64);
  assert.ok(isFailure(error, "SignatureDoesNotMatch"), String(error));
  assert.ok(data.length < 16);
});

Deno.test("trailers that are changed, unsigned or not announced are refused", async () => {
  const body = bodyOf("trailer");
  const right = `x-amz-trailer-signature:${vectors.trailer.trailer}\r\n`;
  const told = `${checksum.join(":")}\r\n`;
  const cases: Record<string, [end: string, code: string]> = {
    "a changed value": [`x-amz-checksum-crc32:AAAAAA==\r\n${right}`, "SignatureDoesNotMatch"],
    "no signature": [told, "SignatureDoesNotMatch"],
    "nothing": ["", "SignatureDoesNotMatch"],
    "the signature alone": [right, "SignatureDoesNotMatch"],
    "a wrong signature": [
      `${told}x-amz-trailer-signature:${"0".repeat(64)}\r\n`,
      "SignatureDoesNotMatch",
    ],
    "a trailer twice": [`${told}${told}${right}`, "SignatureDoesNotMatch"],
    "one that was not announced": [`${told}x-amz-meta-a:1\r\n${right}`, "MalformedTrailerError"],
    "one after the signature": [`${right}${told}`, "MalformedTrailerError"],
    "two signatures": [`${told}${right}${right}`, "MalformedTrailerError"],
  };
  for (const [name, [end, code]] of Object.entries(cases)) {
    for (const cut of [1, 10_000]) {
      const { data, trailers, error } = await receive("trailer", encode({ ...body, end }), cut);
      assert.ok(isFailure(error, code), `${name}: ${error}`);
      assert.ok(data.length < 16, name);
      assert.deepEqual(trailers, [], name);
    }
  }
});

Deno.test("a trailer is refused in the form that does not sign it", async () => {
  const body = bodyOf("payload");
  const trailed = encode({ ...body, end: `${checksum.join(":")}\r\n\r\n` });
  const { data, trailers, error } = await receive("payload", trailed, 64);
  assert.ok(isFailure(error, "MalformedTrailerError"), String(error));
  assert.ok(data.length < 16);
  assert.deepEqual(trailers, []);
});

Deno.test("a signed trailer is verified as minio-go frames it", async () => {
  // Its line ends in a line feed, and CR LF follow.
  const end = `${
    checksum.join(":")
  }\n\r\nx-amz-trailer-signature:${vectors.trailer.trailer}\r\n\r\n`;
  const { data, error } = await receive("trailer", encode({ ...bodyOf("trailer"), end }));
  assert.equal(error, undefined);
  assert.equal(data, line + line);
});

Deno.test("the form of the signatures is read from the request's headers", () => {
  const of = (headers: Record<string, string>) => chunkSigningForm(new Headers(headers));
  assert.deepEqual(of({ "x-amz-content-sha256": mode }), { signsTrailer: false, announced: [] });
  assert.deepEqual(
    of({ "x-amz-content-sha256": `${mode}-TRAILER`, "x-amz-trailer": "X-Amz-Checksum-CRC32, b," }),
    { signsTrailer: true, announced: ["x-amz-checksum-crc32", "b"] },
  );
  const others = ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", "UNSIGNED-PAYLOAD", sha256Hex("")];
  for (const hash of [...others, "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"]) {
    assert.equal(of({ "x-amz-content-sha256": hash }), undefined, hash);
  }
  assert.equal(of({}), undefined);
});
