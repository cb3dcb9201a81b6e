/** Presigned links (SigV4): the query bears the signature, and how long it is good. */
import {
  parsePresigned,
  parseTimestamp,
  presignedPayloadHash,
  sha256Hex,
  verifySignature,
} from "../../codecs/sigv4.ts";
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

/** A week, as at AWS; in seconds. */
export const longestLink = 604_800;

/**
 * Finds the credential that signed a link. Throws a refusal where it does not prove it, or is not
 * good now.
 */
export async function authenticatePresigned(proof: CredentialProof): Promise<Principal> {
  const { request: { headers }, query, service, find, now, latest, readBody } = proof;
  checkExpires(query.find(([name]) => name === "X-Amz-Expires")?.[1]);
  const claimed = parsePresigned(query);
  if (!claimed) {
    throw refuse(
      "malformedQuery",
      "A presigned link needs each of X-Amz-Algorithm=AWS4-HMAC-SHA256, X-Amz-Credential, " +
        "X-Amz-Date, X-Amz-Expires, X-Amz-SignedHeaders and X-Amz-Signature once. Presign it again",
    );
  }
  checkScope(claimed, service, "malformedQuery");
  refuseSessionToken(query.find(([name]) => name.toLowerCase() === "x-amz-security-token")?.[1]);
  const signedAt = parseTimestamp(claimed.timestamp)?.getTime() ?? Infinity;
  if (signedAt > now + maxSkew) {
    throw refuse("linkTime", "The link is not valid yet. Set the clock of who presigned it");
  }
  if (latest > signedAt + claimed.expiresSeconds * 1000) {
    throw refuse("linkTime", "The link has expired. Presign another");
  }
  checkSignedHeaders(headers, claimed.signedHeaders);
  const payloadHash = claimed.service === "s3"
    ? presignedPayloadHash(query, headers)
    : sha256Hex(await readBody());
  if (payloadHash.startsWith("STREAMING-AWS4-")) {
    throw refuse(
      "unsupported",
      "The chunks of a presigned upload cannot be signed. Send the body unsigned",
    );
  }
  if (service === "ops") await checkCovered(payloadHash, proof);
  const pieces = signedPieces(proof, payloadHash);
  const { credential } = checkProof(
    await find(claimed.accessKeyId),
    latest,
    (secret) => verifySignature(pieces, claimed, secret),
    "The link's signature is not the one that the access key's secret makes of it. Use the link as " +
      "it was presigned: the same method, host, path, query and signed headers",
  );
  const { signedHeaders } = claimed;
  const principal = { ...principalOf(credential, claimed.region), signedHeaders };
  const isHash = claimed.service === "s3" && /^[0-9a-fA-F]{64}$/.test(payloadHash);
  return isHash ? { ...principal, bodySha256: payloadHash } : principal;
}

/** 403 for what is out of bounds, as Amazon S3's public tests ask (ceph/s3-tests, November 2026). */
function checkExpires(text: string | undefined): void {
  if (text === undefined || !/^-?[0-9]{1,15}$/.test(text)) return;
  const seconds = Number(text);
  if (seconds >= 1 && seconds <= longestLink) return;
  throw refuse("linkTime", `X-Amz-Expires must be from 1 to ${longestLink} seconds. Presign again`);
}
