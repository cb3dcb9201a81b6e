/** The bodies of requests, as handlers read them, and of answers, as clients do. */
import { ByteBuffer } from "../runtime/byte_buffer.ts";
import { bounds } from "../runtime/bounds.ts";
import { Failure } from "../codecs/failure.ts";
import { type Pace, pacedBody, paceOf, type Slowness } from "../runtime/pace.ts";
import type { Audit } from "./context.ts";

/** A request's body is read under these. */
export interface BodyDeps {
  /** How long a body may stand still; 0: for ever, and as slow as its client likes. */
  readonly idleMilliseconds: number;
}

/**
 * The body, limited in how slow it may be and counted for the audit; null where there is none.
 *
 * @param wholeMilliseconds How long the client may take over the whole of it.
 */
export function requestBody(
  { body }: Request,
  audit: Audit,
  { idleMilliseconds }: BodyDeps,
  wholeMilliseconds: number = bounds.bodyMilliseconds,
): ReadableStream<Uint8Array> | null {
  if (body === null) return null;
  const pace = paceOf(idleMilliseconds, wholeMilliseconds);
  return pacedBody(body, {
    count: (bytes) => (audit.bytesIn += bytes),
    ...(idleMilliseconds > 0 && { sender: { pace, failure: (why) => tooSlow(pace, why) } }),
  });
}

/** Limits how slowly a client may read an answer; its connection breaks where it is slower. */
export function answerBody(
  body: ReadableStream<Uint8Array>,
  { idleMilliseconds }: BodyDeps,
): ReadableStream<Uint8Array> {
  if (idleMilliseconds === 0) return body;
  const pace = paceOf(idleMilliseconds * bounds.readerIdleFactor);
  return pacedBody(body, {
    reader: {
      pace,
      failure: () => new Failure("unavailable", "The client read its answer too slowly"),
    },
  });
}

function tooSlow({ idleMilliseconds, wholeMilliseconds }: Pace, why: Slowness): Failure {
  const sentences: Readonly<Record<Slowness, string>> = {
    still:
      `No byte of the body came for ${idleMilliseconds / 1000} seconds. Send it again without ` +
      "a pause",
    slow:
      `The body came at fewer than ${bounds.leastBytesPerSecond} bytes a second. Send it again, ` +
      "and faster",
    long: `The body was not there after ${wholeMilliseconds / 1000} seconds. Send it again, and ` +
      "faster",
  };
  return new Failure("invalid", sentences[why], { s3: "RequestTimeout" });
}

/** The whole time of a control call's body: no less than it may stand still. */
export function controlTime({ idleMilliseconds }: BodyDeps): number {
  return Math.max(idleMilliseconds, bounds.controlBodyMilliseconds);
}

/** Makes what reads the whole body of a control call, once. Throws `invalid` where it is too large. */
export function controlBody(
  request: Request,
  audit: Audit,
  deps: BodyDeps,
): () => Promise<Uint8Array<ArrayBuffer>> {
  let reading: Promise<Uint8Array<ArrayBuffer>> | undefined;
  return () => reading ??= readControl(request, audit, deps, bounds.controlBytes);
}

/** Reads the whole body of a control call. Throws `invalid` where it is too large or too slow. */
export async function readControl(
  request: Request,
  audit: Audit,
  deps: BodyDeps,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const gathered = new ByteBuffer(maxBytes);
  for await (const chunk of requestBody(request, audit, deps, controlTime(deps)) ?? []) {
    // Leaving the loop cancels the rest.
    if (!gathered.append(chunk)) {
      throw tooLong(maxBytes, `The request's body is larger than ${maxBytes} bytes`);
    }
  }
  return gathered.take();
}

/** Makes the failure of a control call whose body is too long. */
export function tooLong(maxBytes: number, sentence: string): Failure {
  return new Failure("invalid", sentence, {
    s3: "MaxMessageLengthExceeded",
    fields: { MaxMessageLengthBytes: `${maxBytes}` },
  });
}
