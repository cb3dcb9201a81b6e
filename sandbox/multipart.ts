/** A streaming reader of multipart bodies (RFC 2046, RFC 7578), in bounded memory. */
import { Buffer } from "node:buffer";

/** One part of a multipart body. */
export interface Part {
  /** Of a form field; empty where the part does not say. */
  readonly name: string;
  /** Present where the part is a file. */
  readonly filename: string | undefined;
  readonly headers: Headers;
  /** To be read before the next part is asked for; what is left of it then is skipped. */
  readonly body: ReadableStream<Uint8Array>;
}

/** A body is not the multipart body that its content type announces. */
export class MultipartError extends Error {
  override readonly name = "MultipartError";
}

const maxHeadBytes = 16_384;

/**
 * Reads a multipart body part by part. Nothing but the piece at hand is held in memory. The body is
 * cancelled if the caller stops early.
 *
 * Throws a {@linkcode MultipartError} where the content type has no boundary, or the body breaks
 * the form or ends before its last boundary.
 */
export async function* parseMultipart(
  body: ReadableStream<Uint8Array>,
  contentType: string,
): AsyncGenerator<Part> {
  const boundary = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType);
  const name = boundary?.[1] ?? boundary?.[2];
  if (name === undefined) throw new MultipartError("The content type has no boundary.");
  const source = new Source(body, Buffer.from(`\r\n--${name}`));
  try {
    while (await source.skipPart()) {
      yield source.part(await source.head());
    }
    await source.drain();
  } finally {
    await source.cancel();
  }
}

class Source {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #delimiter: Buffer;
  // The first boundary may be the body's first bytes: with this it looks like all others.
  #held: Buffer = Buffer.from("\r\n");
  #atDelimiter = false;
  #parts = 0;

  constructor(body: ReadableStream<Uint8Array>, delimiter: Buffer) {
    this.#reader = body.getReader();
    this.#delimiter = delimiter;
  }

  /** Skips to the next boundary; false where it was the last. */
  async skipPart(): Promise<boolean> {
    while (await this.#piece() !== undefined);
    this.#held = this.#held.subarray(this.#delimiter.length);
    this.#atDelimiter = false;
    this.#parts++;
    // White space may follow a boundary.
    const end = await this.#find("\r\n", maxHeadBytes);
    const rest = this.#held.subarray(0, end ?? this.#held.length).toString("latin1");
    if (rest.startsWith("--")) return false;
    if (end === undefined || rest.trim() !== "") {
      throw new MultipartError("What follows a boundary is not a line end.");
    }
    // The line end stays: it may be the one that ends an empty head.
    this.#held = this.#held.subarray(end);
    return true;
  }

  async head(): Promise<Headers> {
    const end = await this.#find("\r\n\r\n", maxHeadBytes);
    if (end === undefined) throw new MultipartError("The head of a part does not end.");
    const headers = new Headers();
    for (const line of this.#held.subarray(0, end).toString("utf8").split("\r\n")) {
      const colon = line.indexOf(":");
      if (line === "") continue;
      if (colon < 1) throw new MultipartError("The head of a part has a line without a name.");
      // A header's value holds bytes: text outside of ASCII goes in as its UTF-8 bytes.
      const value = Buffer.from(line.slice(colon + 1).trim(), "utf8").toString("latin1");
      try {
        headers.append(line.slice(0, colon).trim(), value);
      } catch (cause) {
        throw new MultipartError("The head of a part has a line of the wrong form.", { cause });
      }
    }
    this.#held = this.#held.subarray(end + 4);
    return headers;
  }

  part(headers: Headers): Part {
    const disposition = Buffer.from(headers.get("content-disposition") ?? "", "latin1")
      .toString("utf8");
    const number = this.#parts;
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        if (number !== this.#parts) throw new MultipartError("The next part was asked for.");
        const piece = await this.#piece();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
    }, { highWaterMark: 0 });
    return {
      name: parameter(disposition, "name") ?? "",
      filename: parameter(disposition, "filename"),
      headers,
      body,
    };
  }

  /** Reads what follows the last boundary, so that the connection can be used again. */
  async drain(): Promise<void> {
    while (!(await this.#reader.read()).done);
  }

  async cancel(): Promise<void> {
    // Where the body failed, the read has reported it.
    await this.#reader.cancel().catch(() => {});
  }

  /** The next bytes of a part, never empty; undefined at its boundary. */
  async #piece(): Promise<Uint8Array | undefined> {
    while (!this.#atDelimiter) {
      const at = this.#held.indexOf(this.#delimiter);
      // The last bytes may be the beginning of a boundary.
      const end = at >= 0 ? at : this.#held.length - this.#delimiter.length + 1;
      this.#atDelimiter = at >= 0;
      if (end > 0) {
        const piece = this.#held.subarray(0, end);
        this.#held = this.#held.subarray(end);
        return piece;
      }
      if (at < 0 && !await this.#fill()) {
        throw new MultipartError("The body ends before its last boundary.");
      }
    }
    return undefined;
  }

  /** Where a text begins in what is held; undefined if the body ends, or holds too much, before. */
  async #find(text: string, maxBytes: number): Promise<number | undefined> {
    while (true) {
      const at = this.#held.indexOf(text, 0, "latin1");
      if (at >= 0) return at;
      if (this.#held.length > maxBytes || !await this.#fill()) return undefined;
    }
  }

  async #fill(): Promise<boolean> {
    const next = await this.#reader.read();
    if (next.done) return false;
    this.#held = this.#held.length === 0
      ? Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length)
      : Buffer.concat([this.#held, next.value]);
    return true;
  }
}

/** A parameter of a content disposition, as browsers and SDKs write it: `"` is `%22` or `\"`. */
function parameter(disposition: string, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;]+))`, "i")
    .exec(disposition);
  if (match === null) return undefined;
  return (match[1] ?? match[2] ?? "")
    .replace(/\\(["\\])/g, "$1")
    .replace(/%(22|0D|0A)/gi, decodeURIComponent);
}
