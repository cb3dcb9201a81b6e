/** Reading results where they are: put together from a batch's parts. */
import type { HeldIn } from "../../catalog/held.ts";
import { chunkStream } from "../../runtime/chunk_stream.ts";
import { Failure } from "../../codecs/failure.ts";
import { gathered } from "../../runtime/gathered.ts";
import { type Piece, piecesOf, type Span } from "../../codecs/pieces.ts";
import type { StoringProvider } from "../../providers/provider.ts";
import type { HeldObject, OpenDeps } from "../held_operations.ts";
import { accountOf } from "../../reach/reach.ts";
import type { SpoolRange } from "../read_spool.ts";

const lineFeed = new Uint8Array([0x0a]);

/** Opens a range of results that are put together from those of a batch; both ends inclusive. */
export async function openResults(
  deps: OpenDeps,
  provider: StoringProvider,
  { file, held }: HeldObject<"batch">,
  { first, last }: SpoolRange,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const cuts = await deps.catalog.cuts(provider.name, file, held.cutChunks);
  const pieces = piecesOf(held.parts, cuts, { first, end: last + 1 });
  const open = (piece: Piece) => openPiece(deps, provider, held, piece, signal);
  const [head, ...others] = pieces;
  // The first is opened before there is an answer, so that a refusal can be answered as one.
  const body = head && await open(head);
  return chunkStream(joined(body, others, open), async () => {
    if (body?.bytes && !body.bytes.locked) await body.bytes.cancel().catch(() => {});
  });
}

/** A piece that was opened: its bytes, where it has any, and how they are passed on. */
interface OpenedPiece {
  readonly bytes: ReadableStream<Uint8Array> | undefined;
  passed(): AsyncGenerator<Uint8Array>;
}

async function* joined(
  first: OpenedPiece | undefined,
  others: readonly Piece[],
  open: (piece: Piece) => Promise<OpenedPiece>,
): AsyncGenerator<Uint8Array> {
  if (first) yield* first.passed();
  for (const piece of others) yield* (await open(piece)).passed();
}

/** Opens a piece; nothing of it is read before its reader asks. */
async function openPiece(
  deps: OpenDeps,
  provider: StoringProvider,
  held: HeldIn<"batch">,
  { part, spans, lineFeed: feeds }: Piece,
  signal: AbortSignal,
): Promise<OpenedPiece> {
  const begin = spans[0]?.first;
  const end = spans.at(-1)?.end;
  const known = held.parts[part];
  const opened = (bytes: OpenedPiece["bytes"], position: number): OpenedPiece => ({
    bytes,
    passed: () => passed(bytes, position, spans, feeds),
  });
  if (begin === undefined || end === undefined || !known) return opened(undefined, 0);
  const range = { first: begin, last: end - 1 };
  const { batches } = accountOf(provider, held.account);
  const isWhole = begin === 0 && end === known.bytes;
  const open = (asked: SpoolRange | undefined, until: AbortSignal) =>
    batches.openResults(held.batch, known.name, asked, until);
  if (isWhole || !deps.reads) {
    const { body, ranged } = await open(isWhole ? undefined : range, signal);
    return opened(body, ranged ? begin : 0);
  }
  const place = [provider.name, held.account];
  const body = await deps.reads.read(
    {
      id: JSON.stringify([...place, held.batch, known.name]),
      source: JSON.stringify([...place, "results"]),
      tenant: deps.tenant,
      bytes: known.bytes,
      open,
    },
    range,
    signal,
  );
  return opened(body, begin);
}

/** Passes on the spans of a body that begins at a position, and a line feed behind them. */
async function* passed(
  body: ReadableStream<Uint8Array> | undefined,
  begin: number,
  spans: readonly Span[],
  feeds: boolean,
): AsyncGenerator<Uint8Array> {
  let position = begin;
  let at = 0;
  if (body) {
    for await (const chunk of body) {
      const pieces: Uint8Array[] = [];
      for (; at < spans.length; at++) {
        const span = spans[at];
        if (!span || span.first >= position + chunk.length) break;
        const from = Math.max(0, span.first - position);
        const to = Math.min(chunk.length, span.end - position);
        if (to > from) pieces.push(chunk.subarray(from, to));
        if (span.end > position + chunk.length) break;
      }
      yield* gathered(pieces);
      position += chunk.length;
      if (at === spans.length) break;
    }
  }
  if (at < spans.length) throw shorter();
  if (feeds) yield lineFeed;
}

function shorter(): Failure {
  return new Failure(
    "unavailable",
    "The provider gave fewer bytes than the results had when the job ended. Send the request again",
    { retryAfterSeconds: 1 },
  );
}
