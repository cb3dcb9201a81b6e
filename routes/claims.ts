/** What a request says of itself, for the audit: nothing of it is proven. */
import { bearerOwner } from "../access/issue.ts";
import { parseAuthorization, parseCredential } from "../codecs/sigv4_claims.ts";
import { decodeKey } from "../codecs/uri.ts";
import { shortened } from "../codecs/visible.ts";
import type { Target } from "./target.ts";

/** Characters of a claimed access key id, of a user agent and of an address that are kept. */
const longestId = 128;
const longestUserAgent = 256;
const longestAddress = 64;

/** The access key id that a request claims, right or not; null where it names none. */
export function claimedKeyId(headers: Headers, { query }: Target): string | null {
  const header = headers.get("authorization");
  const claimed = header === null ? inQuery(query) : inHeader(header);
  return claimed === undefined || claimed === "" ? null : shortened(claimed, longestId);
}

function inHeader(header: string): string | undefined {
  const bearer = /^bearer +/i.exec(header);
  if (bearer) return bearerOwner(header.slice(bearer[0].length).trim());
  return parseAuthorization(header)?.accessKeyId ??
    /\bCredential=([^/,\s]{1,256})\//.exec(header)?.[1] ??
    // SigV2, which is not offered in a header.
    /^AWS ([^:\s]{1,256}):/.exec(header)?.[1];
}

function inQuery(query: string): string | undefined {
  const raw = /(?:^|&)X-Amz-Credential=([^&]*)/i.exec(query)?.[1];
  const credential = raw === undefined ? undefined : decodeKey(raw);
  if (credential !== undefined) {
    return parseCredential(credential)?.accessKeyId ?? credential.split("/")[0];
  }
  const id = /(?:^|&)AWSAccessKeyId=([^&]*)/i.exec(query)?.[1];
  return id === undefined ? undefined : decodeKey(id);
}

/** The program that a client says it is; null where it says nothing. */
export function userAgentOf(headers: Headers): string | null {
  const text = headers.get("user-agent");
  return text === null || text === "" ? null : shortened(text, longestUserAgent);
}

/**
 * The address that a request came from; null where it is not known.
 *
 * @param peer The address of the connection's other end.
 * @param trustProxy Whether that is a proxy whose last entry in `X-Forwarded-For` is right. All
 *   entries before it are the client's own words.
 */
export function clientAddress(
  headers: Headers,
  peer: string | undefined,
  trustProxy: boolean,
): string | null {
  const last = trustProxy ? headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() : undefined;
  const address = last || peer;
  return address === undefined ? null : shortened(address, longestAddress);
}
