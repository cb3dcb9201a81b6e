/**
 * The signatures within an aws-chunked body: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`, where each chunk
 * bears one that builds on the one before, and `…-PAYLOAD-TRAILER`, where the trailers bear one too.
 */
import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";
import type { AwsChunkedOptions, Chunk } from "./aws_chunked.ts";
import { Failure } from "./failure.ts";
import { type Scope, scopeText, sha256Hex, signature } from "./sigv4.ts";

/** What the signatures of a body build on. */
export interface ChunkSigning {
  /** As `signingKey` makes it for the scope. */
  readonly key: Uint8Array;
  /** When the request was signed: `yyyymmddThhmmssZ`. */
  readonly timestamp: string;
  readonly scope: Scope;
  /** The signature of the request itself, verified. */
  readonly seed: string;
  /** True in the form `…-PAYLOAD-TRAILER`. */
  readonly signsTrailer: boolean;
  /** Names in lower case of the trailers that `x-amz-trailer`, which is signed, announces. */
  readonly announced: readonly string[];
  /** Gets the trailers in their order, once they are known to be right. */
  readonly onTrailer?: (name: string, value: string) => void;
}

/** What plugs into `awsChunkedDecoder`. */
export type ChunkSignatures = Required<
  Pick<AwsChunkedOptions, "onChunk" | "onTrailer" | "onEnd">
>;

/** How a body is signed, as its request's headers say. */
export type ChunkSigningForm = Pick<ChunkSigning, "signsTrailer" | "announced">;

const form = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const trailerSignature = "x-amz-trailer-signature";
const emptyHash = sha256Hex("");

/**
 * Returns how the chunks of a body are signed; undefined where they are not, or not with
 * HMAC-SHA256.
 */
export function chunkSigningForm(headers: Headers): ChunkSigningForm | undefined {
  const hash = headers.get("x-amz-content-sha256");
  if (hash !== form && hash !== `${form}-TRAILER`) return undefined;
  const announced = (headers.get("x-amz-trailer") ?? "").split(",")
    .map((name) => name.trim().toLowerCase()).filter((name) => name !== "");
  return { signsTrailer: hash !== form, announced };
}

/**
 * Verifies a body's signatures as it is decoded; what is wrong breaks the stream, at the latest
 * before it ends, so a consumer that holds its last byte back never completes a wrong body.
 *
 * A chunk or trailer without its signature, or with a wrong one, is Failure denied
 * (SignatureDoesNotMatch). Trailers are never passed over in silence: one that was not announced, any
 * in the form that signs none, and one after the signature of the trailers are Failure invalid
 * (MalformedTrailerError). Whether all that were announced came is for the digests to say.
 */
export function verifyChunkSignatures(signing: ChunkSigning): ChunkSignatures {
  const { key, timestamp, scope, signsTrailer, announced } = signing;
  const trailers: [name: string, value: string][] = [];
  let previous = signing.seed;
  let trailersSigned: string | undefined;

  function isRight(given: string | undefined, kind: string, hashes: readonly string[]): boolean {
    const text = [`AWS4-HMAC-SHA256-${kind}`, timestamp, scopeText(scope), previous, ...hashes];
    const own = Buffer.from(signature(key, text.join("\n")));
    const other = Buffer.from(given ?? "");
    previous = own.toString();
    return own.length === other.length && timingSafeEqual(own, other);
  }

  return {
    onChunk(chunk: Chunk) {
      if (!isRight(chunk.signature, "PAYLOAD", [emptyHash, chunk.sha256])) {
        throw denied(
          "A chunk of the body lacks its signature or has a wrong one; sign each chunk, the last of size 0 too, with the key of the request.",
        );
      }
    },
    onTrailer(name, value) {
      if (!signsTrailer) {
        throw malformed(`The body has trailers, which ${form} does not sign; use ${form}-TRAILER.`);
      }
      if (trailersSigned !== undefined) {
        throw malformed(`The body goes on after ${trailerSignature}; send that one last.`);
      }
      if (name === trailerSignature) trailersSigned = value;
      else if (announced.includes(name)) trailers.push([name, value]);
      else {
        throw malformed(
          "The body has a trailer that the signed header x-amz-trailer does not name.",
        );
      }
    },
    onEnd() {
      if (!signsTrailer) return;
      const lines = trailers.map(([name, value]) => `${name}:${value}\n`).join("");
      if (!isRight(trailersSigned, "TRAILER", [sha256Hex(lines)])) {
        throw denied(
          `The trailers lack their signature or have a wrong one; end the body with ${trailerSignature}.`,
        );
      }
      for (const [name, value] of trailers) signing.onTrailer?.(name, value);
    },
  };
}

function denied(message: string): Failure {
  return new Failure("denied", message, { s3: "SignatureDoesNotMatch" });
}

function malformed(message: string): Failure {
  return new Failure("invalid", message, { s3: "MalformedTrailerError" });
}
