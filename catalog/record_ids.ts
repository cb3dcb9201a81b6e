/** Ids of the records of files that cannot be downloaded, packed. */
import { promisify } from "node:util";
import { deflateRaw, inflateRaw } from "node:zlib";
import type { FileId } from "../codecs/ids.ts";
import { keys } from "./keys.ts";
import { change } from "./kv.ts";

/** What is known of a file's records. */
export interface RecordIds {
  /** Whether every record has an id, and each its own. */
  readonly unique: boolean;
  /** The envelope of the first record where it is another provider's. */
  readonly foreign?: string;
  /** The ids in the order of the file. */
  ids(): Promise<readonly string[]>;
}

/** What the first of a file's entries holds. */
interface Head {
  readonly unique: boolean;
  readonly foreign?: string;
  /** Further entries. */
  readonly chunks: number;
  /** The ids themselves where they are few. */
  readonly packed?: Uint8Array;
}

/** The ids' part of the catalog. */
export type RecordIdCatalog = ReturnType<typeof createRecordIdCatalog>;

/** Ids are kept in entries of this size, below the limit of a value. */
const chunkBytes = 60_000;
/** Longer than any file whose ids are kept, and any batch that reads it, lives; milliseconds. */
const lifeMilliseconds = 7 * 24 * 60 * 60 * 1000;

const pack = promisify(deflateRaw);
const unpack = promisify(inflateRaw);

/** Makes the ids' part of the catalog. */
export function createRecordIdCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
) {
  return { get, set };

  /** Keeps the ids of a file, a JSON string a line; they go by themselves after a week. */
  async function set(
    provider: string,
    file: FileId,
    { lines, ...facts }: { readonly lines: Uint8Array } & Pick<Head, "unique" | "foreign">,
  ): Promise<void> {
    const packed = new Uint8Array(await pack(lines));
    if (packed.length <= chunkBytes) {
      const head: Head = { ...facts, chunks: 0, packed };
      return await write(keys.recordIds(provider, file, 0), head);
    }
    let chunks = 0;
    for (let at = 0; at < packed.length; at += chunkBytes) {
      await write(keys.recordIds(provider, file, ++chunks), packed.slice(at, at + chunkBytes));
    }
    const head: Head = { ...facts, chunks };
    await write(keys.recordIds(provider, file, 0), head);
  }

  function write(key: Deno.KvKey, value: unknown): Promise<void> {
    return change(sleep, async () => {
      await kv.set(key, value, { expireIn: lifeMilliseconds });
      return { done: undefined };
    });
  }

  /** Returns what is known of a file's records; undefined where nothing is. */
  async function get(provider: string, file: FileId): Promise<RecordIds | undefined> {
    const head = (await kv.get<Head>(keys.recordIds(provider, file, 0))).value;
    if (!head) return undefined;
    const { unique, foreign } = head;
    const ids = () => read(provider, file, head);
    return { unique, ...(foreign !== undefined && { foreign }), ids };
  }

  async function read(provider: string, file: FileId, head: Head): Promise<string[]> {
    const { chunks } = head;
    const packed: Uint8Array[] = head.packed ? [head.packed] : [];
    for (let n = 1; n <= chunks; n++) {
      const { value } = await kv.get<Uint8Array>(keys.recordIds(provider, file, n));
      if (value) packed.push(value);
    }
    const text = `${await unpack(await new Blob(packed as Uint8Array<ArrayBuffer>[]).bytes())}`;
    return text === "" ? [] : text.split("\n").map((line): string => JSON.parse(line));
  }
}
