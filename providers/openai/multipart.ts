/** A multipart form with one file, as a stream whose length is known before its first byte. */

/** A form ready to be sent. */
export interface FileForm {
  readonly contentType: string;
  readonly bytes: number;
  readonly body: ReadableStream<Uint8Array>;
}

/** What goes into a form. */
export interface FormParts {
  readonly fields: Readonly<Record<string, string>>;
  readonly file: {
    readonly field: string;
    readonly name: string;
    readonly contentType: string;
    readonly bytes: number;
    readonly body: ReadableStream<Uint8Array>;
  };
  /** Unlike anything in the file: made from random bytes. */
  readonly boundary: string;
}

/**
 * Frames a file: the fields first, the file last. The file's errors pass through, and cancelling
 * the form cancels the file.
 */
export function fileForm({ fields, file, boundary }: FormParts): FileForm {
  let head = "";
  for (const [name, value] of Object.entries(fields)) {
    head += `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"\r\n\r\n` +
      `${value}\r\n`;
  }
  head += `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(file.field)}"; ` +
    `filename="${quoted(file.name)}"\r\nContent-Type: ${file.contentType}\r\n\r\n`;
  const before = new TextEncoder().encode(head);
  const after = new TextEncoder().encode(`\r\n--${boundary}--\r\n`);
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    bytes: before.byteLength + file.bytes + after.byteLength,
    body: framed(before, file.body, file.bytes, after),
  };
}

/** As browsers write names in forms: `"` and line ends would end the header. */
function quoted(name: string): string {
  return name.replaceAll('"', "%22").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

/**
 * A file of up to so many bytes goes out with its frame in one piece: each piece is a system call, and
 * a packet (docs/performance.md). A larger one begins at once.
 */
const maxTogether = 16 * 1024;

function framed(
  before: Uint8Array,
  body: ReadableStream<Uint8Array>,
  bytes: number,
  after: Uint8Array,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const isSmall = bytes <= maxTogether;
  let started = false;

  async function readSmall(): Promise<Uint8Array> {
    let whole = before;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return joined(whole, after);
      whole = joined(whole, value);
    }
  }

  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (isSmall) {
        controller.enqueue(await readSmall());
        return controller.close();
      }
      if (!started) {
        started = true;
        return controller.enqueue(before);
      }
      const { done, value } = await reader.read();
      controller.enqueue(done ? after : value);
      if (done) controller.close();
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.byteLength + b.byteLength);
  both.set(a);
  both.set(b, a.byteLength);
  return both;
}
