/** A multipart form with one file, whose length is known before its first byte. */

/** A form ready to be sent. */
export interface FileForm {
  readonly contentType: string;
  readonly bytes: number;
  /** One piece where the file is there as a whole, else a stream. */
  readonly body: ReadableStream<Uint8Array> | Uint8Array;
}

/** Content of a form. */
export interface FormParts {
  readonly fields: Readonly<Record<string, string>>;
  readonly file: {
    readonly field: string;
    readonly name: string;
    readonly contentType: string;
    readonly bytes: number;
    readonly body: ReadableStream<Uint8Array> | Uint8Array;
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
    body: file.body instanceof Uint8Array
      ? joined(before, file.body, after)
      : framed(before, file.body, after),
  };
}

/** As browsers write names in forms: `"` and line ends would end the header. */
function quoted(name: string): string {
  return name.replaceAll('"', "%22").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function framed(
  before: Uint8Array,
  body: ReadableStream<Uint8Array>,
  after: Uint8Array,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let started = false;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
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

/** One piece is one system call, and one packet. */
function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}
