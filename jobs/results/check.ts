/**
 * Reading a finished batch's results once, from the first byte to the last: what they count, which
 * records came more than once, whether they break off, and what is to be left out of them. Memory is
 * bounded by the longest line and 32 bytes a record.
 */
import { createHash } from "node:crypto";
import type { Breath } from "../../runtime/breath.ts";
import { IdSet } from "../../runtime/id_set.ts";
import { isBlank, PartialLine } from "../../codecs/jsonl.ts";
import { addSpan, type Part, type Span } from "../../codecs/pieces.ts";
import { recordIn } from "./record.ts";
import type { Envelope, LineObject } from "../../providers/provider.ts";

/** A part of a batch's results, and how it is opened. */
export interface OpenPart {
  readonly name: string;
  /** Bytes by the provider's own account. */
  readonly bytes?: number | undefined;
  /** Undefined where it is to be done without. */
  open(): Promise<ReadableStream<Uint8Array> | undefined>;
}

/** How a record is known to have come before; `nothing` where two may look alike. */
export type Likeness = "id" | "line" | "nothing";

/** How results are to be read. */
export interface CheckOptions {
  readonly envelope: Envelope;
  readonly likeness: Likeness;
  /** Takes what is kept of the results, in order. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Lets others have their turns between two lines: many short ones take long, too. */
  readonly breath: Breath;
}

/** Outcome of reading results. */
export interface Check {
  readonly parts: readonly (Part & { readonly name: string })[];
  /** Spans that are left out, counted over the bytes of all parts in a row. */
  readonly cuts: readonly Span[];
  /** Bytes that remain. */
  readonly bytes: number;
  /** Hex digest of them. */
  readonly sha256: string;
  readonly records: number;
  readonly success: number;
  readonly error: number;
  /** Absent where no record holds any. */
  readonly inputTokens?: number;
  readonly cachedInputTokens: number;
  readonly outputTokens?: number;
  /** How many lines were left out because their record had come before. */
  readonly repeated: number;
  readonly repeatedIds: IdSet;
  readonly ids: IdSet;
  /** A part ended in the middle of a record, or before the end that its provider gave. */
  readonly isCutShort: boolean;
}

/** A record with pictures in its answer can be this long. */
const maxLineBytes = 128 * 2 ** 20;
/** Kept bytes are passed on in blocks of about this size. */
const blockBytes = 256 * 1024;
const lineFeed = new Uint8Array([0x0a]);

/** Reads results; throws what opening and reading their parts throws. */
export async function checkResults(
  parts: readonly OpenPart[],
  options: CheckOptions,
): Promise<Check> {
  const { breath } = options;
  const tally = new Tally(options);
  for (const [n, part] of parts.entries()) {
    tally.begin(n);
    const rest = new PartialLine({ maxLineBytes });
    const body = await part.open();
    if (!body) continue;
    for await (const chunk of body) {
      let start = 0;
      for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
        const piece = chunk.subarray(start, end);
        start = end + 1;
        if (rest.length > 0) {
          rest.append(piece);
          await tally.line(rest.take(), true);
        } else {
          // Nearly all lines are short, and a promise for each of them costs as much as the line.
          const reading = tally.line(piece, true);
          if (reading) await reading;
        }
        if (breath.isDue()) await breath.take();
      }
      rest.append(chunk.subarray(start));
      await tally.flush(blockBytes);
      if (breath.isDue()) await breath.take();
    }
    if (rest.length > 0) await tally.line(rest.take(), false);
    tally.end(part.bytes);
  }
  await tally.flush(0);
  return tally.outcome(parts.map(({ name }) => name));
}

/** Progress of reading. */
class Tally {
  readonly #options: CheckOptions;
  readonly #hash = createHash("sha256");
  readonly #ids = new IdSet();
  readonly #lines = new IdSet();
  readonly #repeatedIds = new IdSet();
  readonly #cuts: Span[] = [];
  /** Bytes of each part, and which of them a line feed has to follow. */
  readonly #sizes: number[] = [];
  readonly #feeds = new Set<number>();
  #position = 0;
  #kept: Uint8Array[] = [];
  #waiting = 0;
  #bytes = 0;
  /** The part of the last kept byte; that byte is not a line feed. */
  #open: number | undefined;
  #counts = { records: 0, success: 0, error: 0, unrun: 0, repeated: 0 };
  #tokens: { input?: number; cached: number; output?: number } = { cached: 0 };
  #isCutShort = false;

  constructor(options: CheckOptions) {
    this.#options = options;
  }

  begin(part: number): void {
    this.#sizes[part] = 0;
  }

  end(declared: number | undefined): void {
    const bytes = this.#sizes.at(-1) ?? 0;
    if (declared !== undefined && bytes < declared) this.#isCutShort = true;
  }

  /** Takes a line, without its line feed; a long one is taken once the promise resolves. */
  line(line: Uint8Array, isEnded: boolean): Promise<void> | undefined {
    const record = isBlank(line) ? undefined : recordIn(line, this.#options.breath);
    if (record instanceof Promise) return record.then((read) => this.#line(line, isEnded, read));
    this.#line(line, isEnded, record);
    return undefined;
  }

  #line(line: Uint8Array, isEnded: boolean, record: LineObject | undefined): void {
    const length = line.length + (isEnded ? 1 : 0);
    if (this.#isWanted(line, isEnded, record)) this.#keep(line, isEnded);
    else addSpan(this.#cuts, { first: this.#position, end: this.#position + length });
    this.#position += length;
    this.#sizes[this.#sizes.length - 1] = (this.#sizes.at(-1) ?? 0) + length;
  }

  #isWanted(line: Uint8Array, isEnded: boolean, record: LineObject | undefined): boolean {
    if (!record && isBlank(line)) return true;
    if (!record) {
      if (!isEnded) {
        // What came of the last record is not a record.
        this.#isCutShort = true;
        return false;
      }
      this.#counts.records++;
      this.#counts.error++;
      return true;
    }
    const { id, outcome, inputTokens, cachedInputTokens, outputTokens } = this.#options.envelope
      .result(record);
    if (id !== undefined && this.#cameBefore(id, line)) {
      this.#counts.repeated++;
      this.#repeatedIds.add(id);
      return false;
    }
    this.#counts.records++;
    this.#counts[outcome]++;
    if (inputTokens !== undefined) this.#tokens.input = (this.#tokens.input ?? 0) + inputTokens;
    this.#tokens.cached += cachedInputTokens ?? 0;
    if (outputTokens !== undefined) {
      this.#tokens.output = (this.#tokens.output ?? 0) + outputTokens;
    }
    return true;
  }

  #cameBefore(id: string, line: Uint8Array): boolean {
    const isNewId = this.#ids.add(id);
    if (this.#options.likeness === "id") return !isNewId;
    return this.#options.likeness === "line" && !this.#lines.add(line);
  }

  #keep(line: Uint8Array, isEnded: boolean): void {
    if (this.#open !== undefined) {
      this.#feeds.add(this.#open);
      this.#take(lineFeed);
    }
    this.#take(line);
    if (isEnded) this.#take(lineFeed);
    this.#open = isEnded ? undefined : this.#sizes.length - 1;
  }

  #take(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#kept.push(bytes);
    this.#waiting += bytes.length;
    this.#bytes += bytes.length;
  }

  /** Passes on what was kept, if it is more than so many bytes; lines are views of chunks. */
  async flush(threshold: number): Promise<void> {
    if (this.#waiting === 0 || this.#waiting < threshold) return;
    const block = new Uint8Array(this.#waiting);
    let at = 0;
    for (const bytes of this.#kept) {
      block.set(bytes, at);
      at += bytes.length;
    }
    this.#kept = [];
    this.#waiting = 0;
    await this.#options.write(block);
  }

  outcome(names: readonly string[]): Check {
    const { records, success, error, repeated } = this.#counts;
    const { input, cached, output } = this.#tokens;
    return {
      // One that was done without has no bytes, and does no harm.
      parts: names.map((name, n) => ({
        name,
        bytes: this.#sizes[n] ?? 0,
        lineFeed: this.#feeds.has(n),
      })),
      cuts: this.#cuts,
      bytes: this.#bytes,
      sha256: this.#hash.digest("hex"),
      records,
      success,
      error,
      repeated,
      ...(input !== undefined && { inputTokens: input }),
      cachedInputTokens: cached,
      ...(output !== undefined && { outputTokens: output }),
      repeatedIds: this.#repeatedIds,
      ids: this.#ids,
      isCutShort: this.#isCutShort,
    };
  }
}
