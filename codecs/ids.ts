/** Ids that must not be mixed up. The brands exist only for the compiler. */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A provider's own name of a file: `file-abc` at OpenAI, `files/xyz` at Gemini. */
export type FileId = Branded<"FileId">;
/** A provider's own name of a batch: `batch_…`, `batches/…`, `msgbatch_…`. */
export type BatchId = Branded<"BatchId">;
/** The last part of a job's ARN: 12 characters of `[a-z0-9]`. */
export type JobId = Branded<"JobId">;
/** The name of what a store of the operator's own holds: a relative path. */
export type BlobName = Branded<"BlobName">;

/** Calls a string from a provider, or one that was checked, a file id. */
export const fileId = (text: string): FileId => text as FileId;
/** Calls a string from a provider, or one that was checked, a batch id. */
export const batchId = (text: string): BatchId => text as BatchId;
/** Calls a checked string a job id. */
export const jobId = (text: string): JobId => text as JobId;
/** Calls a name under which a store holds something a blob's name. */
export const blobName = (text: string): BlobName => text as BlobName;

/** The longest id of a file or batch, in characters. */
export const maxIdLength = 2_048;

/**
 * Returns whether a text can be a provider's id of a file or batch: it becomes a header, and
 * segments of a URL. Segments of dots would lead elsewhere, however they are encoded.
 */
export function isProviderId(text: string): boolean {
  return text.length <= maxIdLength && /^(?!(?:.*\/)?\.{1,2}(?:\/|$))[\x21-\x7e]+$/.test(text);
}

const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";

/**
 * Makes an id of `[a-z0-9]` from random bytes.
 *
 * @param length Characters; 12 of them hold 62 bits.
 * @param random Fills an array with random bytes, as `crypto.getRandomValues` does.
 */
export function randomId(length: number, random: (bytes: Uint8Array) => Uint8Array): string {
  // 252 = 7 × 36: bytes from there on would favour the first letters, so they are drawn again.
  let id = "";
  while (id.length < length) {
    for (const byte of random(new Uint8Array(length * 2))) {
      if (byte < 252 && id.length < length) id += alphabet[byte % 36];
    }
  }
  return id;
}
