/**
 * The aws-chunked framing of S3 bodies: `{hex length}[;chunk-signature={hex}]\r\n{data}\r\n …
 * 0[;…]\r\n[{trailer}:{value}\r\n …]\r\n`, in its unsigned, signed and signed-with-trailer forms.
 */
import { createHash } from "node:crypto";
import { Failure } from "./failure.ts";
import { gathered } from "../runtime/gathered.ts";

/** One chunk at its end. */
export interface Chunk {
  /** Bytes of data; 0 for the last chunk, which has none. */
  readonly size: number;
  /** As the client wrote it; undefined in the unsigned form. */
  readonly signature: string | undefined;
  /** Lower-case hex SHA-256 of the data. */
  readonly sha256: string;
}

/** Expectations of a decoder, and its listeners. */
export interface AwsChunkedOptions {
  /** The exact sum of the data in bytes, from `x-amz-decoded-content-length`. */
  readonly decodedLength: number;
  /** Gets each trailer, name in lower case, in order; `x-amz-trailer-signature` among them. */
  readonly onTrailer?: (name: string, value: string) => void;
  /**
   * Is called at the end of each chunk, the last one of size 0 included; what it throws breaks the
   * stream. `chunk_signatures.ts` verifies signatures here. The data has gone out when this is
   * called, so the consumer must hold its own last byte back, as `verifiedStream` does. Without a
   * callback nothing is hashed.
   */
  readonly onChunk?: (chunk: Chunk) => void;
  /**
   * What each chunk but the last with data must have in bytes; S3's 8,192 where absent. One-byte
   * chunks would cost a thousand times what their data does.
   */
  readonly minChunkBytes?: number;
  /** Is called once the body is complete, before its stream ends; what it throws breaks the stream. */
  readonly onEnd?: () => void;
}

/** S3's least size of a chunk that is not the last (2026-11). */
const leastChunkBytes = 8192;
/** Longest line of a chunk's head: 16 digits and a SigV4a signature of 144 fit well. */
const maxHeadBytes = 1024;
/** Most bytes after the last chunk. */
const maxTrailerBytes = 8192;
/** Most empty lines in a row before a chunk, beside the end of the one before. */
const maxBlankLines = 8;

const lineFeed = 0x0a;

/**
 * Decodes aws-chunked. Data goes through as subarrays of what came in, without a copy, but that of
 * small chunks, which is put together; the state is one line of at most 8 KiB. Blank lines, lines that end in a bare LF (minio's trailer ends in
 * `\n\r\n`) and a missing end after the last line are accepted.
 *
 * The stream breaks with Failure invalid: IncompleteBody as soon as a chunk would exceed the decoded
 * length, or where the body ends early; InvalidChunkSizeError where a chunk follows one that is too
 * small; InvalidRequest where the framing is broken.
 */
export function awsChunkedDecoder(
  options: AwsChunkedOptions,
): TransformStream<Uint8Array, Uint8Array> {
  const decoder = createAwsChunkedDecoder(options);
  return new TransformStream({
    transform(bytes, controller) {
      const pieces: Uint8Array[] = [];
      decoder.write(bytes, (data) => pieces.push(data));
      for (const piece of gathered(pieces)) controller.enqueue(piece);
    },
    flush: () => decoder.end(),
  });
}

/** Decodes aws-chunked piece by piece, and throws what breaks {@linkcode awsChunkedDecoder}. */
export interface AwsChunkedDecoder {
  /** Takes what came and gives out its data, in views of it. */
  write(bytes: Uint8Array, emit: (data: Uint8Array) => void): void;
  /** To be called once the body has ended. */
  end(): void;
}

/** Makes what decodes one body without a stream. */
export function createAwsChunkedDecoder(options: AwsChunkedOptions): AwsChunkedDecoder {
  return new Decoder(options);
}

class Decoder implements AwsChunkedDecoder {
  readonly #options: AwsChunkedOptions;
  #state: "head" | "data" | "data-end" | "trailer" = "head";
  /** The line so far, one character a byte. */
  #line = "";
  #blankLines = 0;
  #trailerBytes = 0;
  #decoded = 0;
  /** Bytes of this chunk still to come. */
  #remaining = 0;
  #size = 0;
  #signature: string | undefined;
  #hash = createHash("sha256");

  constructor(options: AwsChunkedOptions) {
    this.#options = options;
  }

  write(bytes: Uint8Array, emit: (data: Uint8Array) => void): void {
    let at = 0;
    while (at < bytes.byteLength) {
      if (this.#state === "data") {
        const data = bytes.subarray(at, at + this.#remaining);
        at += data.byteLength;
        this.#remaining -= data.byteLength;
        if (this.#options.onChunk !== undefined) this.#hash.update(data);
        emit(data);
        if (this.#remaining > 0) return;
        this.#state = "data-end";
        this.#endChunk();
      } else {
        const feed = bytes.indexOf(lineFeed, at);
        const end = feed < 0 ? bytes.byteLength : feed;
        this.#take(bytes.subarray(at, end));
        at = end + 1;
        if (feed >= 0) this.#endLine();
      }
    }
  }

  end(): void {
    if (this.#state !== "data" && this.#line !== "") this.#endLine();
    if (this.#state !== "trailer") {
      throw incomplete("The body ends before its last chunk; send it again in full.");
    }
    this.#options.onEnd?.();
  }

  #take(part: Uint8Array): void {
    if (this.#state === "trailer") {
      this.#trailerBytes += part.byteLength;
      if (this.#trailerBytes > maxTrailerBytes) {
        throw malformed(`The body has more than ${maxTrailerBytes} bytes after its last chunk.`);
      }
    } else if (this.#line.length + part.byteLength > maxHeadBytes) {
      throw malformed(`The body has a chunk head of more than ${maxHeadBytes} bytes.`);
    }
    this.#line += String.fromCharCode(...part);
  }

  #endLine(): void {
    const line = this.#line.trim();
    this.#line = "";
    if (this.#state === "trailer") {
      this.#trailerBytes++;
      this.#endTrailer(line);
    } else if (this.#state === "data-end") {
      if (line !== "") throw malformed("The body has a chunk that is longer than it says.");
      this.#state = "head";
    } else if (line !== "") {
      this.#beginChunk(line);
    } else if (++this.#blankLines > maxBlankLines) {
      throw malformed("The body has empty lines where a chunk should begin.");
    }
  }

  #beginChunk(line: string): void {
    const head = /^([0-9a-fA-F]{1,16}) *(?:;(.*))?$/.exec(line);
    if (head === null) {
      throw malformed("The body has a chunk that does not begin with its length in hex.");
    }
    const size = parseInt(head[1] ?? "", 16);
    if (size > this.#options.decodedLength - this.#decoded) {
      throw incomplete("The chunks hold more bytes than x-amz-decoded-content-length declares.");
    }
    if (size > 0) this.#checkLast();
    this.#signature = /(?:^|;) *chunk-signature=([^;\s]+)/.exec(head[2] ?? "")?.[1];
    this.#blankLines = 0;
    this.#size = this.#remaining = size;
    this.#decoded += size;
    if (size > 0) {
      this.#state = "data";
      return;
    }
    if (this.#decoded < this.#options.decodedLength) {
      throw incomplete("The chunks hold fewer bytes than x-amz-decoded-content-length declares.");
    }
    this.#state = "trailer";
    this.#endChunk();
  }

  /** Refuses another chunk behind one that only the last may be as small as. */
  #checkLast(): void {
    const { minChunkBytes = leastChunkBytes } = this.#options;
    if (this.#decoded === 0 || this.#size >= minChunkBytes) return;
    throw new Failure(
      "invalid",
      `Only the last chunk is allowed to have a size less than ${minChunkBytes} bytes. Send larger ` +
        "chunks",
      { s3: "InvalidChunkSizeError", fields: { BadChunkSize: `${this.#size}` } },
    );
  }

  #endChunk(): void {
    if (this.#options.onChunk === undefined) return;
    const sha256 = this.#hash.digest("hex");
    this.#hash = createHash("sha256");
    this.#options.onChunk({ size: this.#size, signature: this.#signature, sha256 });
  }

  #endTrailer(line: string): void {
    if (line === "") return;
    const colon = line.indexOf(":");
    if (colon < 1) throw malformed("The body has a trailer that is not of the form name:value.");
    this.#options.onTrailer?.(
      line.slice(0, colon).trim().toLowerCase(),
      line.slice(colon + 1).trim(),
    );
  }
}

function incomplete(message: string): Failure {
  return new Failure("invalid", message, { s3: "IncompleteBody" });
}

function malformed(message: string): Failure {
  return new Failure("invalid", `${message} Send it in the aws-chunked form.`, {
    s3: "InvalidRequest",
  });
}

/**
 * Returns whether the body is framed as aws-chunked: `x-amz-content-sha256` begins with
 * `STREAMING-`, or `content-encoding` names aws-chunked and a decoded length is given. The name by
 * itself does not count where the body's own hash is given: boto3 with
 * `ContentEncoding="aws-chunked, gzip"` sends a plain body (a test of ceph/s3-tests, November
 * 2026).
 */
export function isAwsChunked(headers: Headers): boolean {
  const hash = headers.get("x-amz-content-sha256") ?? "";
  if (hash.startsWith("STREAMING-")) return true;
  return !/^[0-9a-fA-F]{64}$/.test(hash) && headers.has("x-amz-decoded-content-length") &&
    codings(headers.get("content-encoding") ?? "").some(isFraming);
}

/** A Content-Encoding without aws-chunked, which is never stored; undefined if nothing is left. */
export function stripAwsChunked(contentEncoding: string | null | undefined): string | undefined {
  const all = codings(contentEncoding ?? "");
  if (!all.some(isFraming)) return contentEncoding ?? undefined;
  return all.filter((coding) => !isFraming(coding)).join(",") || undefined;
}

/**
 * The length in bytes that `x-amz-decoded-content-length` declares.
 *
 * @throws Failure invalid: MissingContentLength without the header, InvalidArgument where it is not a
 * length.
 */
export function decodedLength(headers: Headers): number {
  const text = headers.get("x-amz-decoded-content-length");
  if (text === null) {
    throw new Failure(
      "invalid",
      "An aws-chunked body needs the header x-amz-decoded-content-length with its decoded length.",
      { s3: "MissingContentLength" },
    );
  }
  if (!/^\d{1,15}$/.test(text)) {
    throw new Failure(
      "invalid",
      "The x-amz-decoded-content-length is not valid; it must be a number of bytes.",
      { s3: "InvalidArgument" },
    );
  }
  return Number(text);
}

function codings(text: string): string[] {
  return text.split(",").map((coding) => coding.trim()).filter((coding) => coding !== "");
}

function isFraming(coding: string): boolean {
  return coding.toLowerCase() === "aws-chunked";
}
