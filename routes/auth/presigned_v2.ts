/** Presigned links of the older kind (SigV2), which boto3, awscli and s3cmd make by default. */
import { parsePresignedV2, unsignedParametersV2, verifySignatureV2 } from "../../codecs/sigv2.ts";
import type { CredentialProof } from "./credential_proof.ts";
import type { Principal } from "../context.ts";
import { checkProof, principalOf, refuseSessionToken } from "./credential_check.ts";
import { longestLink } from "./presigned_v4.ts";
import { refuse } from "./refusals.ts";

/**
 * Finds the credential that signed a link. Throws a refusal where it does not prove it, or is not
 * good now.
 */
export async function authenticatePresignedV2(proof: CredentialProof): Promise<Principal> {
  const { request: { method, headers }, target, query, service, find, now, latest, resource } =
    proof;
  if (service !== "s3") {
    throw refuse(
      "unsupported",
      "Only S3 takes links of this older kind. Sign with AWS4-HMAC-SHA256",
    );
  }
  const claimed = parsePresignedV2(query);
  if (!claimed) {
    throw refuse(
      "malformedQuery",
      "A presigned link needs each of AWSAccessKeyId, Signature and Expires once. Presign it again",
    );
  }
  refuseSessionToken(query.find(([name]) => name.toLowerCase() === "x-amz-security-token")?.[1]);
  if (claimed.expires * 1000 <= latest) {
    throw refuse("linkTime", "The link has expired. Presign another");
  }
  if (claimed.expires * 1000 > now + (longestLink + 60) * 1000) {
    throw refuse(
      "linkTime",
      `A link may be good for ${longestLink} seconds at the most. Presign again`,
    );
  }
  const uncovered = unsignedParametersV2(query);
  if (uncovered.length > 0) {
    throw refuse(
      "forbidden",
      "The link's signature does not cover a parameter of its query. Presign it again, with SigV4",
    );
  }
  const pieces = { method, resource: resource(), query: target.query, headers };
  const { credential } = checkProof(
    await find(claimed.accessKeyId),
    latest,
    (secret) => verifySignatureV2(pieces, claimed, secret),
    "The link's signature is not the one that the access key's secret makes of it. Use the link as " +
      "it was presigned: the same method, bucket, key and headers",
  );
  // SigV2 names no region. Of headers besides the body's and x-amz-* it covers none.
  const names = [...headers.keys()].filter((name) => name.startsWith("x-amz-"));
  const signedHeaders = ["content-md5", "content-type", ...names];
  return { ...principalOf(credential, undefined), signedHeaders };
}
