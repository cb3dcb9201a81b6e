/**
 * Parts of uploads in a blob store that all machines see, from UploadPart to Complete: any of them
 * can take a part or complete the upload, and none needs a disk for it.
 */
import type { BlobStore } from "../blobs/store.ts";
import { chunkStream } from "../runtime/chunk_stream.ts";
import { withMd5 } from "./bodies.ts";
import { type PartFile, partForm, type PartSpool, uploadForm } from "./part_spool.ts";

/** Before the name of every part. */
const prefix = "parts/";

/**
 * Makes a spool in a store. What it holds is bounded by the life of uploads, not by their bytes.
 *
 * @param place An id of the store, alike on all machines.
 */
export function createPartStore(store: BlobStore, place: string): PartSpool {
  const closing = new AbortController();
  const { signal } = closing;
  const nameOf = (upload: string, file: string) => `${prefix}${upload}/${file}`;

  async function* listed(upload: string) {
    const below = nameOf(upload, "");
    for await (const blob of store.list(below, signal)) {
      const file = blob.name.slice(below.length);
      if (partForm.test(file)) yield { ...blob, file };
    }
  }

  return {
    disk: () => Promise.resolve(place),
    async write(upload, { file, bytes }, body) {
      const { tapped, md5 } = withMd5(body);
      await store.put(nameOf(upload, file), { bytes, body: tapped, md5 }, signal);
      return md5();
    },
    read: (upload, parts) =>
      joined(parts, (part) => openPart(store, nameOf(upload, part.file), signal)),
    async has(upload, { file, bytes }) {
      return (await store.head(nameOf(upload, file), signal))?.bytes === bytes;
    },
    remove: (upload, file) => store.remove(nameOf(upload, file), signal),
    async removeAll(upload) {
      for await (const { name } of listed(upload)) await store.remove(name, signal);
    },
    async uploads() {
      const found = new Set<string>();
      for await (const { name } of store.list(prefix, signal)) {
        const upload = name.slice(prefix.length).split("/")[0] ?? "";
        if (uploadForm.test(upload)) found.add(upload);
      }
      return [...found];
    },
    async strays(upload, before) {
      const old: string[] = [];
      for await (const { file, modifiedAt } of listed(upload)) {
        if (modifiedAt < before) old.push(file);
      }
      return old;
    },
    measure: () => Promise.resolve(),
    close() {
      closing.abort();
      return Promise.resolve();
    },
  };
}

async function openPart(store: BlobStore, name: string, signal: AbortSignal) {
  return await store.open(name, { first: 0 }, signal);
}

/** One stream of several, each opened once the one before has ended. */
function joined(
  parts: readonly PartFile[],
  open: (part: PartFile) => Promise<ReadableStream<Uint8Array>>,
): ReadableStream<Uint8Array> {
  async function* chunks() {
    for (const part of parts) if (part.bytes > 0) yield* await open(part);
  }
  return chunkStream(chunks(), () => {});
}
