/** Storing an object's bytes in the gateway's own store, whole or as a copy of a provider file. */
import type { KeptBlob } from "../catalog/held.ts";
import { Failure } from "../codecs/failure.ts";
import { fileId } from "../codecs/ids.ts";
import type { Reach } from "../reach/reach.ts";
import { streamOf, withMd5 } from "./bodies.ts";
import type { NewObject, PutDeps, StoredBytes } from "./new_object.ts";

/** Keeps an object's bytes; nothing is left of what breaks. */
export async function storeBlob(
  deps: PutDeps,
  { provider: { name } }: Reach,
  object: NewObject,
  signal: AbortSignal,
): Promise<StoredBytes> {
  const { kept } = deps.held;
  const { tapped, md5 } = object.md5
    ? { tapped: streamOf(object.body), md5: object.md5 }
    : withMd5(streamOf(object.body));
  const mark = deps.uploads.begin();
  let blob: KeptBlob;
  try {
    blob = await kept.put(name, mark, { bytes: object.bytes, body: tapped, md5 }, signal);
  } catch (error) {
    if (error instanceof Failure && error.details.outcomeUnknown) deps.uploads.doubt(mark);
    else deps.uploads.end(mark);
    throw error;
  }
  const file = fileId(blob.blob);
  const etag = md5() ?? blob.blob;
  const expiresAt = kept.expiryOf(deps.now());
  return {
    members: {
      file,
      held: { in: "store", of: "objects", ...blob },
      etag,
      md5: etag,
      ...(expiresAt !== undefined && { expiresAt }),
    },
    isNative: false,
    mark,
    async undo(late) {
      const isRecorded = (await deps.catalog.known(name, [file])).has(file);
      if (!isRecorded) await kept.remove(blob, late);
    },
  };
}
