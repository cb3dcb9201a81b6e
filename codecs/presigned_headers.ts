/** What the query of a presigned link holds besides what was asked for: its signature, and headers. */

import { Failure } from "./failure.ts";

/** The signature's own part of the query, version 4 and 4a, in lower case. */
const signatureV4: ReadonlySet<string> = new Set([
  "x-amz-algorithm",
  "x-amz-content-sha256",
  "x-amz-credential",
  "x-amz-date",
  "x-amz-expires",
  "x-amz-region-set",
  "x-amz-security-token",
  "x-amz-signature",
  "x-amz-signedheaders",
]);

/** The same of version 2; `expires` means something only beside a key id. */
const signatureV2: ReadonlySet<string> = new Set(["awsaccesskeyid", "expires", "signature"]);

/** What a query is, by the names of its parameters. */
export interface LinkForm {
  readonly isPresigned: boolean;
  /** Whether a parameter is the signature's own. */
  readonly isSignature: (name: string) => boolean;
  /** Whether a parameter is a header that was put into the query. */
  readonly isHeader: (name: string) => boolean;
}

/**
 * Finds what a query is. Checksums are not headers here: SDKs presign a PUT with the checksum of an
 * empty body (`x-amz-checksum-crc32=AAAAAA==`, aws-sdk-js 3.1169).
 *
 * @param names Of all parameters, in lower case; so are those that its functions take.
 */
export function linkForm(names: ReadonlySet<string>): LinkForm {
  const isV2 = names.has("awsaccesskeyid") && names.has("signature");
  const isPresigned = isV2 || names.has("x-amz-signature");
  const isSignature = (name: string) => signatureV4.has(name) || (isV2 && signatureV2.has(name));
  return {
    isPresigned,
    isSignature,
    isHeader: (name) =>
      isPresigned && name.startsWith("x-amz-") && !isSignature(name) &&
      !name.startsWith("x-amz-checksum-") && name !== "x-amz-sdk-checksum-algorithm",
  };
}

/**
 * A request's headers with those that its presigned link holds; the very same object where there are
 * none. A header that was sent too wins.
 *
 * @param query Decoded pairs.
 * @throws Failure invalid (InvalidArgument) where one of them could not have come as a header.
 */
export function withLinkHeaders(
  headers: Headers,
  query: readonly (readonly [name: string, value: string])[],
): Headers {
  if (query.length === 0) return headers;
  const { isHeader } = linkForm(new Set(query.map(([name]) => name.toLowerCase())));
  const found = query.filter(([name]) => isHeader(name.toLowerCase()));
  if (found.length === 0) return headers;
  const all = new Headers(headers);
  for (const [name, value] of found) {
    // Bytes of UTF-8, one character each, as a header's own would have come.
    const bytes = String.fromCharCode(...new TextEncoder().encode(value));
    if (all.has(name)) continue;
    if (/[\0\r\n]/.test(bytes)) {
      throw new Failure(
        "invalid",
        "A parameter of the presigned link stands for a header, and holds what no header can: a " +
          "line break or a zero byte. Presign it without",
        { s3: "InvalidArgument" },
      );
    }
    all.set(name, bytes);
  }
  return all;
}
