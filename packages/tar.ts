/** Tar archives with fixed times, so that the same files give the same bytes. */
const block = 512;
const encoder = new TextEncoder();
/** The time that npm gives to every file: 1985-10-26 08:15 UTC, in seconds. */
const time = 499_162_500;

/** A file of an archive. */
export interface TarFile {
  /** Its path, of at most 100 ASCII characters. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly isExecutable?: boolean;
}

/** Makes a tar archive, in the form of POSIX (ustar), of files in their order. */
export function tar(files: readonly TarFile[]): Uint8Array<ArrayBuffer> {
  const parts = files.flatMap(({ path, bytes, isExecutable = false }) => [
    header(path, bytes.length, isExecutable ? 0o755 : 0o644),
    bytes,
    new Uint8Array((block - bytes.length % block) % block),
  ]);
  parts.push(new Uint8Array(2 * block));
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function header(path: string, size: number, mode: number): Uint8Array {
  if (path.length > 100) throw new Error(`${path} is longer than a tar archive's 100 characters`);
  const bytes = new Uint8Array(block);
  const write = (text: string, offset: number) => bytes.set(encoder.encode(text), offset);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length, "0")}\0`;
  write(path, 0);
  write(octal(mode, 7), 100);
  write(octal(0, 7), 108);
  write(octal(0, 7), 116);
  write(octal(size, 11), 124);
  write(octal(time, 11), 136);
  write("0", 156);
  write("ustar\0" + "00", 257);
  // The sum counts its own place as spaces.
  write(" ".repeat(8), 148);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return bytes;
}
