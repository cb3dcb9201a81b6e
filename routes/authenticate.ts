/**
 * Who sends a request: the caller proves it with a signature, a presigned link or a bearer token.
 *
 * While no credential exists no proof is required; the gateway is then for this machine only, unless
 * its operator has said otherwise. The first credential ends that, also for a gateway that runs.
 */
import { calledAs } from "../runtime/program_name.ts";
import { isAccessKeyId, mayHoldAccessKeyId } from "../access/issue.ts";
import type { Keyring } from "../access/keyring.ts";
import { anonymousTenant } from "../catalog/keys.ts";
import { isRegion } from "../codecs/arn.ts";
import {
  type CredentialScope,
  parseAuthorization,
  parseCredential,
} from "../codecs/sigv4_claims.ts";
import { decodeKey, parseRawQuery } from "../codecs/uri.ts";
import { authenticateBearer } from "./auth/bearer.ts";
import { authenticateHeader } from "./auth/header_v4.ts";
import { checkLocal } from "./auth/local_caller.ts";
import { authenticatePresigned } from "./auth/presigned_v4.ts";
import { authenticatePresignedV2 } from "./auth/presigned_v2.ts";
import type { CredentialProof, ProofRequest } from "./auth/credential_proof.ts";
import { isNoProof, refuse } from "./auth/refusals.ts";
import type { Principal } from "./context.ts";
import type { Target } from "./target.ts";

/** Who is let in while there is no credential. */
export type Openness = "nobody" | "local" | "everybody";

/** Dependencies of authentication. */
export interface AuthenticateDeps {
  readonly keyring: Keyring;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The latest that it may be: a clock that is set back makes nothing good again; `now` where absent. */
  readonly latest?: () => number;
  readonly openTo: Openness;
  readonly s3Domains: readonly string[];
}

/** Returns who sends a request. Throws a refusal for a sender who may not. */
export async function authenticate(
  deps: AuthenticateDeps,
  request: ProofRequest,
): Promise<Principal> {
  const { keyring } = deps;
  if (!await keyring.hasAny()) {
    if (!(namesOurs(request) && await keyring.reread())) return anonymous(deps, request);
  }
  const query = parseRawQuery(request.target.query);
  const prove = wayOf(request.request.headers, query);
  const proof = {
    ...request,
    query,
    find: keyring.find,
    now: deps.now(),
    latest: (deps.latest ?? deps.now)(),
  };
  try {
    return await prove(proof);
  } catch (error) {
    if (!isNoProof(error) || !await keyring.reread()) throw error;
    return await prove(proof);
  }
}

/**
 * Returns whether a request names a credential of ours: it may have been issued this very moment.
 */
function namesOurs({ request, target }: ProofRequest): boolean {
  const header = request.headers.get("authorization");
  if (header !== null && /^bearer /i.test(header)) return true;
  // Only what may be one of ours is read as a whole.
  if (!mayHoldAccessKeyId(header ?? target.query)) return false;
  const claimed = claimedScope(request.headers, target);
  return claimed !== undefined && isAccessKeyId(claimed.accessKeyId);
}

type Way = (proof: CredentialProof) => Promise<Principal>;

/** Parameters of a query that claim who sends it, in lower case. */
const claims: Readonly<Record<string, Way>> = {
  "x-amz-algorithm": authenticatePresigned,
  "x-amz-credential": authenticatePresigned,
  "x-amz-signature": authenticatePresigned,
  "awsaccesskeyid": authenticatePresignedV2,
};

/** The one way in which a request proves who sends it. */
function wayOf(headers: Headers, query: CredentialProof["query"]): Way {
  const ways = new Set<Way>();
  for (const [name] of query) {
    const claim = name.toLowerCase();
    if (Object.hasOwn(claims, claim)) ways.add(claims[claim] as Way);
  }
  const header = headers.get("authorization");
  if (header !== null) ways.add(/^bearer /i.test(header) ? authenticateBearer : authenticateHeader);
  const [way, other] = ways;
  if (other) {
    throw refuse(
      "ambiguous",
      "Only one way to sign is allowed; send an Authorization header, or a presigned query, not both",
    );
  }
  if (way) return way;
  throw refuse(
    "unsigned",
    "The request is not signed. Sign it with an access key that this gateway's operator has issued",
  );
}

/** Returns whether a request has anything that is to prove who sends it. */
export function hasProof(headers: Headers, { query }: Target): boolean {
  return headers.has("authorization") ||
    parseRawQuery(query).some(([name]) => Object.hasOwn(claims, name.toLowerCase()));
}

function anonymous(
  deps: AuthenticateDeps,
  { request, target }: ProofRequest,
): Principal {
  if (deps.openTo === "nobody") {
    throw refuse(
      "unsigned",
      "This gateway is reachable from outside and has no credential yet, so it refuses all requests. " +
        `Its operator makes one with '${calledAs("keys add")}'`,
    );
  }
  if (deps.openTo === "local") checkLocal(request.headers, target, deps.s3Domains);
  return {
    accessKeyId: null,
    tenant: anonymousTenant,
    native: true,
    readOnly: false,
    // Read from what the client signed also where the signature is not checked, and only when asked.
    get region() {
      return claimedRegion(request.headers, target);
    },
  };
}

/** The region that a request says it was signed for; undefined where it names none. */
export function claimedRegion(headers: Headers, target: Target): string | undefined {
  const region = claimedScope(headers, target)?.region;
  return region !== undefined && isRegion(region) ? region : undefined;
}

/** The signer, the region and the service that a request claims; undefined where it names none. */
export function claimedScope(headers: Headers, target: Target): CredentialScope | undefined {
  const header = headers.get("authorization");
  if (header !== null) return parseAuthorization(header);
  const credential = /(?:^|&)X-Amz-Credential=([^&]*)/.exec(target.query)?.[1];
  const decoded = credential === undefined ? undefined : decodeKey(credential);
  return decoded === undefined ? undefined : parseCredential(decoded);
}
