/**
 * The ids of an upload's records, noted as its bytes pass. A provider that gives uploaded files to
 * nobody leaves no other way to name the records that its results lack.
 *
 * Of a line its beginning and its end are looked at, which is where ids are; memory is bounded by
 * the ids, and they are given up where they are too many.
 */
import { IdSet } from "../codecs/id_set.ts";

/** Ids that were noted. */
export interface NotedIds {
  /** A JSON string a line, in the order of the upload. */
  readonly text: string;
  /** Whether every record has an id, and each its own. */
  readonly unique: boolean;
}

/** An upload whose ids are noted. */
export interface NotedUpload {
  readonly body: ReadableStream<Uint8Array>;
  /** Known once the body has ended; undefined where they were too many. */
  ids(): NotedIds | undefined;
}

/** Bytes of a line's beginning, and of its end, that are looked at. */
const edgeBytes = 2_048;
/** The most that all ids together may take, in characters. */
const maxCharacters = 16 * 2 ** 20;
const lineFeed = 0x0a;

/** Notes the ids of an upload; `idIn` finds that of a line, or of a long line's two ends. */
export function noteIds(
  upload: ReadableStream<Uint8Array>,
  idIn: (head: string, tail: string) => string | undefined,
): NotedUpload {
  const set = new IdSet();
  let noted: string[] | undefined = [];
  let characters = 0;
  let unique = true;
  let line = new Edges();

  function note({ head, tail }: Texts): void {
    if (head.trim() === "") return;
    const id = idIn(head, tail);
    if (id === undefined || !set.add(id) || set.isFull) unique = false;
    if (id === undefined || !noted) return;
    const text = JSON.stringify(id);
    characters += text.length + 1;
    if (characters > maxCharacters) noted = undefined;
    else noted.push(text);
  }

  function end(): void {
    if (line.isEmpty) return;
    note(line.texts());
    line = new Edges();
  }

  const watch = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      controller.enqueue(chunk);
      // Once there are too many, nobody asks for them.
      if (!noted) return;
      let start = 0;
      for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, start)) {
        const piece = chunk.subarray(start, at);
        start = at + 1;
        // Nearly every line is whole in its chunk, and needs no copy.
        if (line.isEmpty) note(textsOf(piece));
        else {
          line.add(piece);
          end();
        }
      }
      line.add(chunk.subarray(start));
    },
    flush: end,
  });
  return {
    body: upload.pipeThrough(watch),
    ids: () => noted && { text: noted.join("\n"), unique },
  };
}

const decoder = new TextDecoder();

/** A line's beginning and its end. */
interface Texts {
  readonly head: string;
  readonly tail: string;
}

/** Those of a line that is there as a whole. */
function textsOf(line: Uint8Array): Texts {
  const head = decoder.decode(line.subarray(0, edgeBytes));
  return line.length <= edgeBytes
    ? { head, tail: head }
    : { head, tail: decoder.decode(line.subarray(-edgeBytes)) };
}

/** The beginning and the end of a line that comes in pieces; both the whole of a short one. */
class Edges {
  #head = new Uint8Array();
  #tail = new Uint8Array();
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#length += bytes.length;
    const room = edgeBytes - this.#head.length;
    if (room > 0) this.#head = joined(this.#head, bytes.subarray(0, room));
    this.#tail = joined(this.#tail, bytes.subarray(-edgeBytes)).slice(-edgeBytes);
  }

  texts(): Texts {
    const head = decoder.decode(this.#head);
    return this.#length <= edgeBytes
      ? { head, tail: head }
      : { head, tail: decoder.decode(this.#tail) };
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
