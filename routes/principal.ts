/** Who sends a request, and what it may do. */
import type { Policy } from "../access/policy.ts";
import type { ChunkSigning } from "../codecs/chunk_signatures.ts";

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
