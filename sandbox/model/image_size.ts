/** The size of an image, read from its header. */

/** Width and height in pixels. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** Reads the size of a PNG, JPEG, GIF or WebP; undefined where the header is not there. */
export function imageSize(bytes: Uint8Array): ImageSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    for (const reader of readers) {
      const size = reader(view);
      if (size !== undefined) return size;
    }
    return undefined;
  } catch (error) {
    // The header ends before its numbers do.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const ascii = (view: DataView, at: number, text: string): boolean =>
  at + text.length <= view.byteLength &&
  Array.from(text).every((letter, index) => view.getUint8(at + index) === letter.charCodeAt(0));

function png(view: DataView): ImageSize | undefined {
  if (!ascii(view, 1, "PNG\r\n")) return undefined;
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

function gif(view: DataView): ImageSize | undefined {
  if (!ascii(view, 0, "GIF8")) return undefined;
  return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
}

/** Frame headers of JPEG (ITU T.81, table B.1): C0 to CF without tables, C4, C8 and CC. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

function jpeg(view: DataView): ImageSize | undefined {
  if (view.getUint16(0) !== 0xffd8) return undefined;
  for (let at = 2; view.getUint8(at) === 0xff;) {
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) at++;
    else if (isFrame(marker)) {
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    } else at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}

/** WebP in its three forms: extended, lossless and lossy (RFC 9649). */
function webp(view: DataView): ImageSize | undefined {
  if (!ascii(view, 0, "RIFF") || !ascii(view, 8, "WEBP")) return undefined;
  if (ascii(view, 12, "VP8X")) {
    const three = (at: number) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
    return { width: three(24) + 1, height: three(27) + 1 };
  }
  if (ascii(view, 12, "VP8L")) {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  if (!ascii(view, 12, "VP8 ")) return undefined;
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
}

const readers = [png, gif, webp, jpeg] as const;
