/** A text that is put together from parts of files, as ranges of those files. */

/** Bytes from `first` up to, not including, `end`. */
export interface Span {
  readonly first: number;
  readonly end: number;
}

/** A file that the text goes through from its first byte to its last. */
export interface Part {
  readonly bytes: number;
  /** A line feed follows that the file itself does not end in. */
  readonly lineFeed: boolean;
}

/** What of one part is to be read, and which spans of it are passed on. */
export interface Piece {
  /** Which part. */
  readonly part: number;
  /** Of the part's own bytes, in order; none where only the line feed is wanted. */
  readonly spans: readonly Span[];
  readonly lineFeed: boolean;
}

/**
 * Returns what is to be read for a range of the text.
 *
 * @param cuts Spans that are left out, in order, counted over the bytes of all parts in a row.
 * @param range Of the text that remains.
 */
export function piecesOf(
  parts: readonly Part[],
  cuts: readonly Span[],
  range: Span,
): Piece[] {
  const pieces: Piece[] = [];
  let base = 0;
  let at = 0;
  let cut = 0;
  for (const [part, { bytes, lineFeed }] of parts.entries()) {
    const spans: Span[] = [];
    const take = (first: number, end: number) => {
      const from = Math.max(first, first + range.first - at);
      const to = Math.min(end, first + range.end - at);
      if (from < to) spans.push({ first: from, end: to });
      at += end - first;
    };
    let position = 0;
    for (; cut < cuts.length; cut++) {
      const next = cuts[cut];
      if (!next || next.first >= base + bytes) break;
      if (next.first - base > position) take(position, next.first - base);
      position = next.end - base;
    }
    if (position < bytes) take(position, bytes);
    const feeds = lineFeed && at >= range.first && at < range.end;
    if (lineFeed) at++;
    if (spans.length > 0 || feeds) pieces.push({ part, spans, lineFeed: feeds });
    base += bytes;
  }
  return pieces;
}

/** Adds a span behind the others; one that touches the last makes it longer. */
export function addSpan(spans: Span[], span: Span): void {
  const last = spans.at(-1);
  if (last?.end === span.first) spans[spans.length - 1] = { first: last.first, end: span.end };
  else spans.push(span);
}

/** Spans in few bytes: the distances between their ends, seven bits to a byte. */
export function packSpans(spans: readonly Span[]): Uint8Array {
  const bytes: number[] = [];
  let last = 0;
  for (const { first, end } of spans) {
    for (const position of [first, end]) {
      let distance = position - last;
      // Beyond 32 bits, so by division and not by shifts.
      for (; distance >= 128; distance = Math.floor(distance / 128)) {
        bytes.push(distance % 128 + 128);
      }
      bytes.push(distance);
      last = position;
    }
  }
  return Uint8Array.from(bytes);
}

/** Reads what {@linkcode packSpans} wrote. */
export function unpackSpans(packed: Uint8Array): Span[] {
  const positions: number[] = [];
  let last = 0;
  let distance = 0;
  let factor = 1;
  for (const byte of packed) {
    distance += (byte % 128) * factor;
    factor *= 128;
    if (byte >= 128) continue;
    last += distance;
    positions.push(last);
    distance = 0;
    factor = 1;
  }
  const spans: Span[] = [];
  for (let n = 0; n + 1 < positions.length; n += 2) {
    spans.push({ first: positions[n] ?? 0, end: positions[n + 1] ?? 0 });
  }
  return spans;
}
