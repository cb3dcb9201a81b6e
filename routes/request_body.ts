/** The body of a request, as its handlers read it. */
import { Buffer } from "node:buffer";
import { Failure } from "../codecs/failure.ts";
import { withIdleLimit } from "../codecs/idle_limit.ts";
import type { Audit } from "./context.ts";

/** A request's body is read under these. */
export interface BodyDeps {
  /** How long a body may stand still; 0: for ever. */
  readonly idleMilliseconds: number;
}

/** The body, limited in how slow it may be and counted for the audit; null where there is none. */
export function requestBody(
  { body }: Request,
  audit: Audit,
  { idleMilliseconds }: BodyDeps,
): ReadableStream<Uint8Array> | null {
  return body && withIdleLimit(body, idleMilliseconds, (bytes) => (audit.bytesIn += bytes));
}

/** 200 tags of full length and all other members of a create at their greatest stay well below. */
const maxControlBytes = 1024 * 1024;

/** Makes what reads the whole body of a control call, once. Throws `invalid` where it is too large. */
export function controlBody(
  request: Request,
  audit: Audit,
  deps: BodyDeps,
): () => Promise<Uint8Array<ArrayBuffer>> {
  let reading: Promise<Uint8Array<ArrayBuffer>> | undefined;
  return () => reading ??= readWhole(requestBody(request, audit, deps));
}

async function readWhole(
  body: ReadableStream<Uint8Array> | null,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    // Leaving the loop cancels the rest.
    if (size > maxControlBytes) {
      throw new Failure("invalid", `The request's body is larger than ${maxControlBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
