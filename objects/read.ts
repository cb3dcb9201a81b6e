/** Reading an object's bytes from its provider. */
import type { ObjectCatalog } from "../catalog/objects.ts";
import { Failure } from "../codecs/failure.ts";
import type { ByteRange } from "../providers/provider.ts";
import type { Found } from "./find.ts";
import { accountOf, filesOf, type Reach, scopeOf } from "./reach.ts";

/**
 * Opens an object's bytes, or a range of them.
 *
 * An object whose file is no longer at the provider (expired, or deleted by other means) is
 * forgotten, so that lists tell the truth from then on.
 */
export async function read(
  catalog: ObjectCatalog,
  reach: Reach,
  found: Found,
  range: ByteRange | undefined,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const { record, name } = found;
  const files = filesOf(reach.provider, accountOf(reach.provider, record.account));
  try {
    return await files.read(record.file, range, signal);
  } catch (error) {
    if (name && error instanceof Failure && error.kind === "not-found") {
      await catalog.remove(scopeOf(reach), name.bucket, name.key, record, "gone");
    }
    throw error;
  }
}
