/** Requests that are signed in their Authorization header (SigV4). */
import {
  parseAuthorization,
  parseTimestamp,
  requestTimestamp,
  sha256Hex,
  signingKey,
  unsignedPayload,
  verifySignature,
} from "../../codecs/sigv4.ts";
import { Failure } from "../../codecs/failure.ts";
import { checkCovered } from "./covered_body.ts";
import { type CredentialProof, signedPieces } from "./credential_proof.ts";
import type { Principal } from "../context.ts";
import {
  checkProof,
  checkScope,
  checkSignedHeaders,
  maxSkew,
  principalOf,
  refuseSessionToken,
} from "./credential_check.ts";
import { refuse } from "./refusals.ts";

const algorithm = "AWS4-HMAC-SHA256";

/**
 * Finds the credential that signed a request. Throws a refusal where the signature does not prove
 * it.
 */
export async function authenticateHeader(proof: CredentialProof): Promise<Principal> {
  const { request: { headers }, service, find, now, latest, target } = proof;
  const claimed = parseAuthorization(headers.get("authorization") ?? "");
  if (!claimed) throw unreadable(headers.get("authorization") ?? "");
  checkScope(claimed, service, "malformedHeader");
  refuseSessionToken(headers.get("x-amz-security-token"));
  const timestamp = requestTimestamp(headers);
  const signedAt = timestamp === undefined ? undefined : parseTimestamp(timestamp);
  if (timestamp === undefined || !signedAt) {
    throw refuse(
      "forbidden",
      "A signed request needs the header x-amz-date, or Date, with its time",
    );
  }
  if (Math.abs(now - signedAt.getTime()) > maxSkew) {
    throw refuse(
      "skewed",
      `The difference between the request's time, ${timestamp}, and the gateway's is too large. ` +
        "Set the clock of the client",
    );
  }
  checkSignedHeaders(headers, claimed.signedHeaders);
  const isOfS3 = claimed.service === "s3";
  const payloadHash = isOfS3 ? s3PayloadHash(headers) : await bodyHash(proof);
  if (isOfS3 && service !== "s3") await checkCovered(payloadHash, proof);
  const pieces = signedPieces(proof, payloadHash);
  const { credential, secret } = checkProof(
    await find(claimed.accessKeyId),
    latest,
    (one) => verifySignature(pieces, claimed, one),
    "The signature is not the one that the access key's secret makes of this request. Check the " +
      `secret, and that nothing between changes the host, which arrived as ${target.host}, the ` +
      "path, the query or a signed header",
  );
  const { signedHeaders } = claimed;
  const principal = { ...principalOf(credential, claimed.region), signedHeaders };
  if (!payloadHash.startsWith("STREAMING-AWS4-")) return principal;
  const chunkSigning = {
    key: signingKey(secret, claimed),
    timestamp,
    scope: claimed,
    seed: claimed.signature,
  };
  return { ...principal, chunkSigning };
}

function unreadable(header: string): Failure {
  if (header.startsWith(`${algorithm} `)) {
    return refuse(
      "malformedHeader",
      "The Authorization header is not of the form AWS4-HMAC-SHA256 Credential=ID/DATE/REGION/" +
        "SERVICE/aws4_request, SignedHeaders=NAMES, Signature=HEX",
    );
  }
  return refuse(
    "unsupported",
    `The way in which the request is signed is not offered. Sign it with ${algorithm}`,
  );
}

/** Values of `x-amz-content-sha256` besides the hash itself. */
const payloadWords: readonly string[] = [
  unsignedPayload,
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
];

/**
 * For S3 the header says what the signature covers of the body; code that reads the body checks it.
 */
function s3PayloadHash(headers: Headers): string {
  const declared = headers.get("x-amz-content-sha256");
  if (declared === null) {
    throw new Failure(
      "invalid",
      "Missing required header for this request: x-amz-content-sha256. Send the body's SHA-256, or " +
        unsignedPayload,
      { s3: "InvalidRequest" },
    );
  }
  if (payloadWords.includes(declared) || /^[0-9a-fA-F]{64}$/.test(declared)) return declared;
  throw new Failure(
    "invalid",
    `x-amz-content-sha256 must be ${payloadWords.join(", ")}, or the hex SHA-256 of the body`,
    { s3: "InvalidArgument" },
  );
}

/** Elsewhere the signature covers the body itself, whatever a header may say of it. */
async function bodyHash({ request: { headers }, readBody }: CredentialProof): Promise<string> {
  const hash = sha256Hex(await readBody());
  const declared = headers.get("x-amz-content-sha256");
  if (declared === null || declared.toLowerCase() === hash) return hash;
  throw refuse(
    "wrongSignature",
    "The body is not the one that x-amz-content-sha256 declares. Send it as it was signed",
  );
}
