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

/** Small pieces go out together: each piece is a system call, and a packet (docs/performance.md). */
const maxTogether = 16 * 1024;

function framed(
  before: Uint8Array,
  body: ReadableStream<Uint8Array>,
  bytes: number,
  after: Uint8Array,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let seen = 0;
  /** What is to go out with the next piece. */
  let waiting: Uint8Array | undefined = before;

  function withWaiting(piece: Uint8Array): Uint8Array {
    const whole = waiting ? joined(waiting, piece) : piece;
    waiting = undefined;
    return whole;
  }

  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) {
          controller.enqueue(withWaiting(after));
          return controller.close();
        }
        seen += value.byteLength;
        const isSmall = value.byteLength <= maxTogether;
        // A file's last bytes are followed by its end at once, or by the error that breaks it.
        if (isSmall && seen === bytes) {
          waiting = withWaiting(value);
          continue;
        }
        if (waiting && !isSmall) controller.enqueue(waiting);
        if (!isSmall) waiting = undefined;
        return controller.enqueue(withWaiting(value));
      }
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
