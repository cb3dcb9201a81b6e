/** Bearer tokens, which Bedrock's clients send where `AWS_BEARER_TOKEN_BEDROCK` is set. */
import { timingSafeEqual } from "node:crypto";
import { bearerOwner, hashBearer } from "../../access/issue.ts";
import type { CredentialProof } from "./credential_proof.ts";
import type { Principal } from "../context.ts";
import { checkGood, principalOf } from "./credential_check.ts";
import { refuse } from "./refusals.ts";

/** A hash that no token has. */
const unknownHash = hashBearer("");

/**
 * Finds the credential of a bearer token. Throws a refusal where there is none, or it is not good
 * now.
 */
export async function authenticateBearer(
  { request: { headers }, service, find, latest }: CredentialProof,
): Promise<Principal> {
  if (service === "s3") {
    throw refuse("unsupported", "S3 takes no bearer token. Sign the request with AWS4-HMAC-SHA256");
  }
  const token = (headers.get("authorization") ?? "").replace(/^bearer +/i, "").trim();
  const owner = bearerOwner(token);
  const credential = owner === undefined ? undefined : await find(owner);
  const given = hashBearer(token);
  const hashes = credential && credential.bearerHashes.length > 0
    ? credential.bearerHashes
    : [unknownHash];
  const fitting = hashes.filter((one) => timingSafeEqual(one, given));
  if (!credential || fitting.length === 0) {
    throw refuse(
      "unknownKey",
      "The bearer token is not one that this gateway's operator has issued, or no longer good",
    );
  }
  checkGood(credential, latest);
  return principalOf(credential, undefined);
}
