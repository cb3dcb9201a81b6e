/**
 * Whether a proof is right: the same work whether the access key is known or not, so that the time
 * an answer takes does not reveal which keys exist.
 */
import { randomBytes } from "node:crypto";
import type { Credential } from "../../access/keyring.ts";
import { isRegion } from "../../codecs/arn.ts";
import type { Scope } from "../../codecs/sigv4.ts";
import type { Service } from "./credential_proof.ts";
import type { Principal } from "../context.ts";
import { refuse } from "./refusals.ts";

/** Stands for the secret of a key that does not exist; nothing is signed with it. */
const unknownSecret = randomBytes(32).toString("base64");

/** A credential whose proof was right. */
export interface Proven {
  readonly credential: Credential;
  /** The secret that the proof was made with. */
  readonly secret: string;
}

/**
 * Checks a proof against every secret of a credential that is good. Throws a refusal where the
 * credential is unknown, disabled or over, or where no secret fits.
 *
 * @param fits Whether the proof was made with this secret; it takes as long for any.
 * @param mismatch The answer to a proof that is wrong.
 */
export function checkProof(
  credential: Credential | undefined,
  now: number,
  fits: (secret: string) => boolean,
  mismatch: string,
): Proven {
  const secrets = credential && credential.secrets.length > 0
    ? credential.secrets
    : [unknownSecret];
  const [secret] = secrets.filter(fits);
  if (!credential) {
    throw refuse(
      "unknownKey",
      "The access key id is not known to this gateway. Use one that its operator has issued",
    );
  }
  if (secret === undefined) throw refuse("wrongSignature", mismatch);
  checkGood(credential, now);
  return { credential, secret };
}

/** Throws a refusal for a credential that is disabled or over. */
export function checkGood({ disabled, expiresAt }: Credential, now: number): void {
  if (disabled) {
    throw refuse(
      "forbidden",
      "The access key is disabled. Ask the gateway's operator to enable it",
    );
  }
  if (expiresAt === undefined || now < expiresAt) return;
  throw refuse("forbidden", "The access key has expired. Ask the gateway's operator for another");
}

/** The principal of a credential. */
export function principalOf(
  { accessKeyId, policy }: Credential,
  region: string | undefined,
): Principal {
  return {
    ...policy,
    accessKeyId,
    region: region !== undefined && isRegion(region) ? region : undefined,
  };
}

/** Services that requests for each API may be signed for. */
const signedFor: Readonly<Record<Service, readonly string[]>> = {
  s3: ["s3"],
  bedrock: ["bedrock"],
  sts: ["sts"],
  ops: ["s3", "bedrock"],
};

/** Throws a refusal where a request was signed for another service. */
export function checkScope(
  { service: claimed }: Scope,
  service: Service,
  reason: "malformedHeader" | "malformedQuery",
): void {
  const wanted = signedFor[service];
  if (wanted.includes(claimed)) return;
  throw refuse(
    reason,
    `The credential's scope names another service; sign this request for ${wanted.join(" or ")}`,
  );
}

/** Clocks may differ by so much, as at AWS; in milliseconds. */
export const maxSkew = 15 * 60_000;

/** Throws a refusal for a request with a token of a temporary credential. */
export function refuseSessionToken(token: string | null | undefined): void {
  if (token === null || token === undefined) return;
  throw refuse(
    "sessionToken",
    "The request bears a session token, and this gateway issues none. Sign with an access key of " +
      "this gateway, without AWS_SESSION_TOKEN",
  );
}

/** Throws a refusal naming the `x-amz-*` headers, or host, that a signature does not cover. */
export function checkSignedHeaders(headers: Headers, signed: readonly string[]): void {
  const missing: string[] = [];
  // forEach: the iterators of Headers cost ten times as much (docs/performance.md).
  headers.forEach((_, name) => {
    if (name.startsWith("x-amz-") && !signed.includes(name)) missing.push(name);
  });
  if (!signed.includes("host")) missing.unshift("host");
  if (missing.length === 0) return;
  throw refuse(
    "forbidden",
    `There were headers in the request which were not signed: ${
      missing.join(", ").slice(0, 500)
    }. ` +
      "Sign them, or leave them out",
  );
}
