/** The proof of a request's sender, and what a signature covers of the request. */
import type { Credential } from "../../access/keyring.ts";
import type { RequestPieces } from "../../codecs/sigv4.ts";
import type { Target } from "../target.ts";

/** Which of the gateway's APIs a request is for; `ops` is for operators, `sts` says who a caller is. */
export type Service = "s3" | "bedrock" | "sts" | "ops";

/** A request, and what its signature may cover. */
export interface ProofRequest {
  readonly request: Request;
  readonly target: Target;
  readonly service: Service;
  /** The raw path in path style without the endpoint's own: what SigV2 covers. */
  readonly resource: () => string;
  /** The whole body: what a signature for Bedrock covers. */
  readonly readBody: () => Promise<Uint8Array>;
}

/** A request as each way of proving its sender gets it. */
export interface CredentialProof extends ProofRequest {
  /** The query's parameters, decoded. */
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly find: (accessKeyId: string) => Promise<Credential | undefined>;
  readonly now: number;
  /** The latest that it may be now: what has expired by then is not good any more. */
  readonly latest: number;
}

/** The pieces, as they came on the wire. */
export function signedPieces(
  { request: { method, headers }, target }: CredentialProof,
  payloadHash: string,
): RequestPieces {
  const { path, query } = target;
  if (headers.has("host")) return { method, path, query, headers, payloadHash };
  // HTTP/2 has no Host header; its authority is what the client signed as host.
  const withHost = new Headers(headers);
  withHost.set("host", target.host);
  return { method, path, query, headers: withHost, payloadHash };
}
