/**
 * Labels of kept blobs: a small blob beside each, which holds what the catalog says of it. A catalog
 * that was lost is made again from them. There is none without its blob: it is written after that,
 * and removed before.
 */
import type { BlobStore } from "../blobs/store.ts";
import { isNamedObject } from "../catalog/entry_kinds.ts";
import type { NamedObject } from "../catalog/entries.ts";
import { type KeptBlob, keptBlobOf } from "../catalog/held.ts";
import { Failure } from "../codecs/failure.ts";
import { type BlobName, blobName } from "../codecs/ids.ts";
import { decode, encode } from "../codecs/kv_json.ts";
import { isPossible } from "./name.ts";

const root = "labels/";
/** More than an entry of the catalog takes as JSON. */
const maxBytes = 2 ** 20;

/** Writes the label of an object's blob; nothing for an object that has no blob. */
export async function writeLabel(
  blobs: BlobStore,
  label: NamedObject,
  signal: AbortSignal,
): Promise<void> {
  const kept = keptBlobOf(label.record.held);
  if (!kept) return;
  const bytes = new TextEncoder().encode(JSON.stringify(encode(label)));
  const body = new Blob([bytes]).stream();
  await blobs.put(root + kept.blob, { bytes: bytes.length, body }, signal);
}

/** Removes a blob and its label. */
export async function removeLabelled(
  blobs: BlobStore,
  { blob }: KeptBlob,
  signal: AbortSignal,
): Promise<void> {
  await blobs.remove(root + blob, signal);
  await blobs.remove(blob, signal);
}

/** Lists the blobs that have labels. */
export async function* labelled(
  blobs: Pick<BlobStore, "list">,
  signal: AbortSignal,
): AsyncGenerator<BlobName> {
  for await (const { name } of blobs.list(root, signal)) yield blobName(name.slice(root.length));
}

/** Reads the label of a blob; undefined where it has none, or one that no gateway has written. */
export async function readLabel(
  blobs: Pick<BlobStore, "head" | "open">,
  blob: BlobName,
  signal: AbortSignal,
): Promise<NamedObject | undefined> {
  const found = await blobs.head(root + blob, signal);
  if (!found || found.bytes > maxBytes) return undefined;
  try {
    const body = await blobs.open(root + blob, { first: 0 }, signal);
    const text = body.pipeThrough(new TextDecoderStream());
    const label = decode(JSON.parse((await Array.fromAsync(text)).join("")));
    const isRight = isNamedObject(label) && isPossible(label) &&
      keptBlobOf(label.record.held)?.blob === blob;
    return isRight ? label : undefined;
  } catch (error) {
    const isNone = error instanceof Failure && error.kind === "not-found";
    if (isNone || error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
