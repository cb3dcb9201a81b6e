/**
 * Who sent a request.
 *
 * There are no credentials to check against yet: everybody is the anonymous principal, and the
 * gateway listens on loopback alone unless told otherwise. The region is read from what the client
 * signed, because ARNs and forwarded requests follow it.
 */
import { anonymousTenant } from "../catalog/keys.ts";
import { isRegion } from "../codecs/arn.ts";
import { parseAuthorization, parseCredential } from "../codecs/sigv4_claims.ts";
import { decodeKey } from "../codecs/uri.ts";
import type { Target } from "./target.ts";

/** Who signed a request. */
export interface Principal {
  /** Null for the anonymous. */
  readonly accessKeyId: string | null;
  readonly tenant: string;
  /** Whether files and batches made by other means may be seen. */
  readonly native: boolean;
  /** The region that the request was signed for. */
  readonly region: string | undefined;
}

/** Tells who sent a request. */
export function authenticate(headers: Headers, target: Target): Principal {
  const region = claimedRegion(headers, target);
  return {
    accessKeyId: null,
    tenant: anonymousTenant,
    native: true,
    region: region !== undefined && isRegion(region) ? region : undefined,
  };
}

function claimedRegion(headers: Headers, target: Target): string | undefined {
  const header = headers.get("authorization");
  if (header !== null) return parseAuthorization(header)?.region;
  const credential = /(?:^|&)X-Amz-Credential=([^&]*)/.exec(target.query)?.[1];
  const decoded = credential === undefined ? undefined : decodeKey(credential);
  return decoded === undefined ? undefined : parseCredential(decoded)?.region;
}
