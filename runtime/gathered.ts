/** Putting small pieces of a stream together: each costs some 13 µs downstream, however small. */
import { Buffer } from "node:buffer";

/** Pieces below this are copied. */
const smallBytes = 4096;
/** So many pieces of one chunk go on as they are. */
const fewPieces = 16;

/** The pieces of one chunk, those that are small put together with their neighbours. */
export function gathered(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  if (pieces.length <= fewPieces) return pieces;
  const all: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const put = () => {
    const [first] = small;
    // One piece is a view of what came in, as it was.
    if (first) all.push(small.length === 1 ? first : new Uint8Array(Buffer.concat(small)));
    small = [];
  };
  for (const piece of pieces) {
    if (piece.byteLength < smallBytes) small.push(piece);
    else {
      put();
      all.push(piece);
    }
  }
  put();
  return all;
}
