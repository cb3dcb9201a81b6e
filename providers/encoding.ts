/**
 * Bodies that came packed. Not asked for where bytes are counted, and yet some services and
 * the proxies in front of them pack all the same; what is stored and served must be the bytes that
 * were meant.
 */
import { pipeline, Readable, type Transform } from "node:stream";
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from "node:zlib";
import type { Failure } from "../codecs/failure.ts";
import { cancelUnread } from "../runtime/unread.ts";

/** The most that a packed download may unpack to: S3's largest object of one PUT. */
const maxUnpackedBytes = 5 * 2 ** 30;

/** What Deno's fetch unpacks by itself unless the request says `identity` (2.9.6); it leaves the header. */
const unpackedByFetch: ReadonlySet<string> = new Set(["gzip", "br"]);

/** Makes what unpacks a body, given its first byte; undefined where the body is not packed at all. */
type Unpacker = (first: number) => Transform | undefined;

/** JSON and its lines begin with none of the bytes that these forms begin with. */
const gzip: Unpacker = (first) => first === 0x1f ? createGunzip() : undefined;

const unpackers: Readonly<Record<string, Unpacker>> = {
  "gzip": gzip,
  "x-gzip": gzip,
  // Meant is zlib's form; some send the bare stream (RFC 9110, 8.4.1.2).
  "deflate": (first) => (first & 0x0f) === 8 ? createInflate() : createInflateRaw(),
  "br": () => createBrotliDecompress(),
  "zstd": (first) => first === 0x28 ? createZstdDecompress() : undefined,
};

/**
 * Returns how a response's body is packed, the outermost form last; empty for one that is as it was
 * meant.
 */
export function encodingsOf(headers: Headers): readonly string[] {
  return (headers.get("content-encoding") ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity");
}

/**
 * A response whose body is as it was meant, without Content-Encoding and Content-Length where it was
 * packed. A piece of a packed body (206) cannot be unpacked and is returned as it came.
 *
 * @param byFetch Whether it came over Deno's fetch, asked for without `identity`.
 * @param refuse Makes the error for a form that is not known, and for a body that unpacks to more
 * than `limit` bytes; the latter breaks the body.
 */
export async function unpacked(
  response: Response,
  byFetch: boolean,
  refuse: () => Failure,
  limit = maxUnpackedBytes,
): Promise<Response> {
  const { status, statusText, body } = response;
  const encodings = encodingsOf(response.headers);
  if (encodings.length === 0 || body === null || status === 206) return response;
  const headers = new Headers(response.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  const [only] = encodings;
  const isDone = byFetch && encodings.length === 1 && unpackedByFetch.has(only ?? "");
  if (!isDone && encodings.some((name) => !Object.hasOwn(unpackers, name))) {
    await cancelUnread(body);
    throw refuse();
  }
  const reader = body.getReader();
  let bytes = readAll(reader);
  for (const name of isDone ? [] : encodings.toReversed()) {
    bytes = unpack(bytes, unpackers[name] ?? (() => undefined));
  }
  const whole = streamOf(atMost(bytes, limit, refuse), reader);
  return new Response(whole as ReadableStream<Uint8Array<ArrayBuffer>>, {
    status,
    statusText,
    headers,
  });
}

type Bytes = AsyncGenerator<Uint8Array, void>;
type Reader = ReadableStreamDefaultReader<Uint8Array>;

async function* readAll(reader: Reader): Bytes {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

/** Cancelling it cancels the source at once, also while that is being waited for. */
function streamOf(bytes: Bytes, source: Reader): ReadableStream<Uint8Array> {
  const end = async (reason: unknown) => {
    await source.cancel(reason);
    await bytes.return().catch(() => {});
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await bytes.next();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        await end(error).catch(() => {});
        throw error;
      }
    },
    cancel: end,
  }, { highWaterMark: 0 });
}

async function* unpack(bytes: Bytes, unpacker: Unpacker): Bytes {
  const begun = await bytes.next();
  if (begun.done) return;
  const rest = (async function* () {
    yield begun.value;
    yield* bytes;
  })();
  const transform = unpacker(begun.value[0] ?? 0);
  if (transform === undefined) return yield* rest;
  // What breaks the source breaks the transform, and reading that throws it.
  pipeline(Readable.from(rest), transform, () => {});
  yield* transform;
}

async function* atMost(bytes: Bytes, limit: number, refuse: () => Failure): Bytes {
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.byteLength;
    if (length > limit) throw refuse();
    yield chunk;
  }
}
