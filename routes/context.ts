/** Context of a request in the routes: its sender, its target and its audit. */
import type { Policy } from "../access/policy.ts";
import type { ChunkSigning } from "../codecs/chunk_signatures.ts";
import type { Target } from "./target.ts";

/** A request, with all that was found out about it before its handler. */
export interface Context {
  readonly request: Request;
  readonly target: Target;
  readonly requestId: string;
  readonly principal: Principal;
  /** The whole body of a control call; read once, however often it is asked for. */
  readonly readBody: () => Promise<Uint8Array<ArrayBuffer>>;
  /** Aborted when it is seen that the client has gone, which it often is not: see `Connection`. */
  readonly signal: AbortSignal;
  /** Where the request came from; null or absent where that is not known. */
  readonly clientAddress?: string | null;
  /** Facts for the audit line; handlers fill in what they find out. */
  readonly audit: Audit;
}

/** Receives a failure whose reason is hidden from clients. */
export type Broken = (request: Pick<Context, "requestId" | "signal">, error: unknown) => void;

/** Facts of a request; what does not apply stays null. */
export interface Audit {
  operation: string | null;
  bucket: string | null;
  key: string | null;
  /** The last 12 characters of the job's ARN. */
  job: string | null;
  provider: string | null;
  account: string | null;
  /** The code of the error that was answered, in the words of the API that the request is for. */
  errorCode: string | null;
  /** Bytes of the request's body that were read, framing included. */
  bytesIn: number;
}

/** An audit that knows nothing yet. */
export function newAudit(): Audit {
  return {
    operation: null,
    bucket: null,
    key: null,
    job: null,
    provider: null,
    account: null,
    errorCode: null,
    bytesIn: 0,
  };
}

/** Who sends a request. */
export interface Principal extends Policy {
  /** Null for the anonymous. */
  readonly accessKeyId: string | null;
  /** The region that the request was signed for. */
  readonly region: string | undefined;
  /** Headers that the verified signature covers; absent where there is none. */
  readonly signedHeaders?: readonly string[];
  /** What the chunks of the body are signed with, where they are. */
  readonly chunkSigning?: Pick<ChunkSigning, "key" | "timestamp" | "scope" | "seed">;
  /** The hex SHA-256 that a presigned link gives its body; the headers' own is among the headers. */
  readonly bodySha256?: string;
}
