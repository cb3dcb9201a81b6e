/** What a signature covers of a request. */
import type { RequestPieces } from "../../codecs/sigv4.ts";
import type { Proving } from "./proving.ts";

/** The pieces, as they came on the wire. */
export function signedPieces(
  { request: { method, headers }, target }: Proving,
  payloadHash: string,
): RequestPieces {
  const { path, query } = target;
  if (headers.has("host")) return { method, path, query, headers, payloadHash };
  // HTTP/2 has no Host header; its authority is what the client signed as host.
  const withHost = new Headers(headers);
  withHost.set("host", target.host);
  return { method, path, query, headers: withHost, payloadHash };
}
