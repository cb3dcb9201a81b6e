/** A signature is good for one object alone, however the path is spelled. */
import assert from "node:assert/strict";
import { parseAuthorization, sha256Hex, verifySignature } from "../../codecs/sigv4.ts";
import { addressOf } from "../../routes/s3/address.ts";
import { files } from "./operations.ts";
import { signHeader } from "./sign.ts";

const host = "localhost:8080";
const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret", bearerToken: "" };
const pieces = [
  "a",
  "%61",
  "/",
  "%2F",
  "%2f",
  "//",
  ".",
  "..",
  "%2e",
  "%2E%2E",
  "+",
  "%2B",
  "%20",
  "ü",
  "%C3%BC",
  "%c3%bc",
  "e%CC%81",
  "%25",
  "%252F",
  "(",
  "%28",
  "\\",
  "%5C",
  "~",
  "%7E",
  "%00",
  ";",
  "=",
  ":",
];

/** Pairs of paths below a bucket that differ in one piece, from a seed, so that a failure comes again. */
function createPairs() {
  let seed = 5;
  const next = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    // The higher bits are the random ones.
    return Math.floor(seed / 2 ** 31 * below);
  };
  const piece = () => pieces[next(pieces.length)] ?? "";
  return () => {
    const meant = Array.from({ length: 1 + next(3) }, piece);
    const sent = meant.with(next(meant.length), piece());
    return [meant, sent].map((parts) => `${files}/bkt/${parts.join("")}`);
  };
}

/** A path as Amazon's signers sign it. */
function canonical(path: string): string {
  return path.split("/").map((one) =>
    encodeURIComponent(decodeURIComponent(one)).replace(
      /[!'()*]/g,
      (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
    )
  ).join("/");
}

/** Bucket and key that the gateway would act on. */
function named(path: string): string {
  const { bucket, key } = addressOf({ host, path, query: "" }, files, ["localhost"]);
  return JSON.stringify([bucket, key]);
}

Deno.test("a signature for one key verifies for another spelling of it, and for no other key", () => {
  const pair = createPairs();
  let same = 0;
  for (let count = 0; count < 5_000; count++) {
    const [meant = "", sent = ""] = pair();
    const wire = signHeader(host, { method: "GET", path: canonical(meant) }, key);
    const claimed = parseAuthorization(wire.headers["authorization"] ?? "") ?? assert.fail();
    const headers = new Headers({ ...wire.headers });
    const request = { method: "GET", path: sent, query: "", headers, payloadHash: sha256Hex("") };
    const isRight = verifySignature(request, claimed, key.secretAccessKey);
    if (!isRight) continue;
    same++;
    assert.equal(named(sent), named(meant), `signed ${meant}, sent ${sent}`);
  }
  assert.ok(same > 250, `only ${same} were accepted`);
});
