import assert from "node:assert/strict";
import {
  canonicalPath,
  canonicalRequest,
  parseAuthorization,
  parsePresigned,
  type RequestPieces,
  scopeText,
  sha256Hex,
  signature,
  signingKey,
  signRequest,
  stringToSign,
  unsignedPayload,
  verifySignature,
} from "../../codecs/sigv4.ts";
import { parseRawQuery } from "../../codecs/uri.ts";

const accessKeyId = "AKIDEXAMPLE";
const secretAccessKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const region = "us-west-2";
const timestamp = "20240102T030405Z";
const date = new Date("2024-01-02T03:04:05Z");
const emptyHash = sha256Hex("");

interface Vector extends RequestPieces {
  readonly service: string;
  readonly sessionToken?: string;
  readonly signedHeaders: string;
  readonly signature: string;
}

/** Made with botocore 1.44.5 (S3SigV4Auth, SigV4Auth), its clock set to the time above. */
const vectors: Record<string, Vector> = {
  "an S3 PUT with an awkward key and metadata": {
    service: "s3",
    method: "PUT",
    path: "/bedrock/files/bkt/a%20b%2B%C3%BC//..%2F/x.jsonl",
    query: "",
    headers: new Headers({
      host: "localhost:8080",
      "content-type": "application/jsonl",
      "content-md5": "XUFAKrxLKna5cZ2REBfFkg==",
      "x-amz-meta-Note": "two   spaces",
    }),
    payloadHash: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    signedHeaders: "content-md5;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-meta-note",
    signature: "ba2c2165be45ae7359bd71449daa288f3bfba56ef98715d1531c7b4fc3d0d4d0",
  },
  "an S3 list with flags, repeated names and a session token": {
    service: "s3",
    method: "GET",
    path: "/bedrock/files/bkt",
    query: "list-type=2&prefix=p%2Fa%20b&delimiter=%2F&encoding-type=url&uploads&x=2&x=1&X=0",
    headers: new Headers({ host: "localhost:8080" }),
    payloadHash: emptyHash,
    sessionToken: "TOKEN/with+chars==",
    signedHeaders: "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
    signature: "94d6d1ec3ec2f630cc7ae3e67f7f4e1f52d31a82a9f50ae865516f533bebb894",
  },
  "a Bedrock GET with an escaped ARN in its path": {
    service: "bedrock",
    method: "GET",
    path: "/bedrock/model-invocation-job/" +
      "arn%3Aaws%3Abedrock%3Aus-west-2%3A123456789012%3Amodel-invocation-job%2Fabcdefghij12",
    query: "",
    headers: new Headers({ host: "localhost:8080" }),
    payloadHash: emptyHash,
    signedHeaders: "host;x-amz-date",
    signature: "fd0900c2becffc3296cb0d269e3d4c2af8f3f84aa4e04f46c027fd54252adf66",
  },
  "a Bedrock POST whose path is not normal": {
    service: "bedrock",
    method: "POST",
    path: "/bedrock//./x/../model-invocation-job/",
    query: "",
    headers: new Headers({ host: "localhost:8080", "content-type": "application/json" }),
    payloadHash: sha256Hex('{"jobName":"j"}'),
    signedHeaders: "content-type;host;x-amz-date",
    signature: "850a39ef75b7c633d7c7cb954f600eec07b21ba33ec96c3266022057bf4e6963",
  },
  "a Bedrock GET without a path": {
    service: "bedrock",
    method: "GET",
    path: "",
    query: "",
    headers: new Headers({ host: "localhost:8080" }),
    payloadHash: emptyHash,
    signedHeaders: "host;x-amz-date",
    signature: "697db3ddc6304cafee96d80dc9ee109398b2989ef8434acad62a6bcf30b9372c",
  },
};

for (const [name, vector] of Object.entries(vectors)) {
  const { service, sessionToken } = vector;
  const credentials = { accessKeyId, secretAccessKey, sessionToken };
  const sign = () => {
    const headers = new Headers(vector.headers);
    signRequest({ ...vector, headers, service, region, credentials, date });
    return headers;
  };

  Deno.test(`${name} is signed as botocore signs it`, () => {
    const headers = sign();
    assert.equal(
      headers.get("authorization"),
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20240102/${region}/${service}/aws4_request, ` +
        `SignedHeaders=${vector.signedHeaders}, Signature=${vector.signature}`,
    );
    assert.equal(headers.get("x-amz-date"), timestamp);
    assert.equal(headers.get("x-amz-security-token"), sessionToken ?? null);
    assert.equal(
      headers.get("x-amz-content-sha256"),
      service === "s3" ? vector.payloadHash : null,
    );
  });

  Deno.test(`${name} is verified, and refused once anything signed is another`, () => {
    const headers = sign();
    const claimed = parseAuthorization(headers.get("authorization") ?? "");
    assert.ok(claimed);
    const request = { ...vector, headers };
    assert.equal(verifySignature(request, claimed, secretAccessKey), true);

    assert.equal(verifySignature(request, claimed, `${secretAccessKey}x`), false);
    const others: Partial<RequestPieces>[] = [
      { method: "DELETE" },
      { path: `${vector.path}/x` },
      { query: `${vector.query}&y=1` },
      { payloadHash: sha256Hex("other") },
    ];
    for (const other of others) {
      assert.equal(
        verifySignature({ ...request, ...other }, claimed, secretAccessKey),
        false,
        JSON.stringify(other),
      );
    }
    for (const header of vector.signedHeaders.split(";")) {
      const changed = new Headers(headers);
      changed.set(header, header === "x-amz-date" ? "20240102T030406Z" : "other");
      assert.equal(
        verifySignature({ ...request, headers: changed }, claimed, secretAccessKey),
        false,
        header,
      );
    }
    for (const other of [{ region: "eu-west-1" }, { service: "sts" }, { date: "20240103" }]) {
      assert.equal(
        verifySignature(request, { ...claimed, ...other }, secretAccessKey),
        false,
        JSON.stringify(other),
      );
    }
  });
}

/** Of an upload in the aws-chunked form: the seed signature, then those of chunks and trailer. */
interface ChunkVector {
  readonly mode: string;
  readonly trailer: boolean;
  readonly seed: string;
  readonly chunks: readonly string[];
  readonly trailerSignature?: string;
}

const chunkVectors: ChunkVector[] = [
  {
    mode: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    trailer: false,
    seed: "96886e7f1c571f0ee62cad1fa8649f02ab6d3f72d2d07e5a29cf755b8422db2a",
    chunks: [
      "30aa9fe88c092695270711e8e9126f1ed3fc5a43a40dc296575ec451b45f0055",
      "863bc3c5696cc42555f8eb809c5cd03124eb55e38d73e3e535cd57c06ac32e99",
      "6aad5db3df575771378269218580f1e097fec269e8b51dc9af1f7be256d93306",
    ],
  },
  {
    mode: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    trailer: true,
    seed: "db6ce2f4185849a7157c14a9d0cb8963c6b9cf4c1c9d098de691775035d14a89",
    chunks: [
      "7003b63024773c994dd8babbfc41528495d36e49a4d22877539ffbac4b751384",
      "402192dc32802a5e5e7060898ad026a562e38c330dcac7b514b211477ecd05bc",
      "04679327bd585963f4114f4276a789526ac240462e3f7bd69083a0744b153a05",
    ],
    trailerSignature: "0c99f16aec0056f6a5243523ca4209618fbb7eca133832aa9d6b25f78d410603",
  },
];

Deno.test("the seed, chunk and trailer signatures of aws-chunked uploads are the known ones", () => {
  const scope = { date: "20240102", region, service: "s3" };
  const key = signingKey(secretAccessKey, scope);
  for (const { mode, trailer, seed, chunks, trailerSignature } of chunkVectors) {
    const headers = new Headers({
      "content-encoding": "aws-chunked",
      host: "localhost:8080",
      "x-amz-content-sha256": mode,
      "x-amz-date": timestamp,
      "x-amz-decoded-content-length": "16",
    });
    if (trailer) headers.set("x-amz-trailer", "x-amz-checksum-crc32");
    const path = "/bedrock/files/bkt/a%20b.jsonl";
    const signedHeaders = [...headers.keys()].sort();
    const request = { method: "PUT", path, query: "", headers, payloadHash: mode };
    const canonical = canonicalRequest(request, canonicalPath(path, "s3"), signedHeaders);
    assert.equal(signature(key, stringToSign(timestamp, scope, canonical)), seed, mode);
    const claimed = { ...scope, accessKeyId, signedHeaders, signature: seed };
    assert.equal(verifySignature(request, claimed, secretAccessKey), true);

    let previous = seed;
    for (const [at, data] of ['{"a":1}\n', '{"a":1}\n', ""].entries()) {
      const parts = ["AWS4-HMAC-SHA256-PAYLOAD", timestamp, scopeText(scope), previous];
      const text = [...parts, emptyHash, sha256Hex(data)].join("\n");
      previous = signature(key, text);
      assert.equal(previous, chunks[at], `${mode}, chunk ${at}`);
    }
    if (trailerSignature === undefined) continue;
    const hash = sha256Hex("x-amz-checksum-crc32:Gxx+Pw==\n");
    const parts = ["AWS4-HMAC-SHA256-TRAILER", timestamp, scopeText(scope), previous, hash];
    assert.equal(signature(key, parts.join("\n")), trailerSignature);
  }
});

Deno.test("a presigned query is read and verified without its own signature", () => {
  // Made with botocore 1.44.5 (S3SigV4QueryAuth).
  const query = "response-content-type=text%2Fplain&X-Amz-Algorithm=AWS4-HMAC-SHA256" +
    "&X-Amz-Credential=AKIDEXAMPLE%2F20240102%2Fus-west-2%2Fs3%2Faws4_request" +
    "&X-Amz-Date=20240102T030405Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host" +
    "&X-Amz-Signature=577f03c029ff196e9bbe8a8c45b296d1f8b0c56a7aa5e71db80f34dd106a3700";
  const claimed = parsePresigned(parseRawQuery(query));
  assert.deepEqual(claimed, {
    accessKeyId,
    date: "20240102",
    region,
    service: "s3",
    signedHeaders: ["host"],
    signature: "577f03c029ff196e9bbe8a8c45b296d1f8b0c56a7aa5e71db80f34dd106a3700",
    timestamp,
    expiresSeconds: 900,
  });
  const request = {
    method: "GET",
    path: "/bedrock/files/bkt/a%20b.jsonl",
    query,
    headers: new Headers({ host: "localhost:8080", "user-agent": "unsigned" }),
    payloadHash: unsignedPayload,
  };
  assert.equal(verifySignature(request, claimed, secretAccessKey), true);
  const longer = { ...request, query: query.replace("Expires=900", "Expires=901") };
  assert.equal(verifySignature(longer, claimed, secretAccessKey), false);
});
