/** That a signature covers the body, for paths whose handlers read it without looking at that again. */
import { sha256Hex, unsignedPayload } from "../../codecs/sigv4.ts";
import type { CredentialProof } from "./credential_proof.ts";
import { refuse } from "./refusals.ts";

/**
 * Throws a refusal where what was signed of the body is not its hash. A request without a body may
 * say that it is unsigned: some signers say so of every request for S3.
 *
 * @param payloadHash What was signed of the body.
 */
export async function checkCovered(
  payloadHash: string,
  { readBody }: Pick<CredentialProof, "readBody">,
): Promise<void> {
  const body = await readBody();
  if (payloadHash.toLowerCase() === sha256Hex(body)) return;
  if (payloadHash === unsignedPayload && body.length === 0) return;
  throw refuse(
    "wrongSignature",
    "The signature does not cover the body that came. Sign the body's SHA-256, for the service " +
      "bedrock or with x-amz-content-sha256",
  );
}
