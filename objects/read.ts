/** Reading an object's bytes from its provider. */
import type { ObjectCatalog } from "../catalog/objects.ts";
import { Failure } from "../codecs/failure.ts";
import type { ByteRange } from "../providers/provider.ts";
import type { Found } from "./find.ts";
import { openHeld } from "./held.ts";
import type { HeldDeps, HeldObject } from "./held_operations.ts";
import { type Reach, scopeOf } from "../reach/reach.ts";

/** Dependencies of reading. */
export interface ReadDeps {
  readonly catalog: ObjectCatalog;
  readonly held: HeldDeps;
  /** Waits so many milliseconds; no time passes where absent. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

/** Bytes to be read, and the name that they are known by, if any. */
export type Readable = Pick<Found, "name"> & { readonly record: HeldObject };

/** Pauses before a provider that says a file is gone is asked once more, in milliseconds. */
const secondLooks = [300, 1_000] as const;

/**
 * Opens an object's bytes, or a range of them.
 *
 * An object whose file is no longer at the provider (expired, or deleted there) is
 * forgotten, so that lists are true from then on. A provider may say so in passing, above all
 * of what it just took, and what is forgotten is lost: so it has to say it three times.
 */
export async function read(
  deps: ReadDeps,
  reach: Reach,
  found: Readable,
  range: ByteRange | undefined,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const { record, name } = found;
  for (let looks = 0;; looks++) {
    try {
      const open = { ...deps.held, tenant: reach.tenant };
      return await openHeld(open, reach.provider, record, range, signal);
    } catch (error) {
      const isGone = name && error instanceof Failure && error.details.gone === true;
      if (!isGone) throw error;
      const pause = secondLooks[looks];
      if (pause === undefined) {
        const scope = { ...scopeOf(reach), tenant: name.tenant };
        await deps.catalog.remove(scope, name.bucket, name.key, record, "gone");
        throw error;
      }
      await deps.sleep?.(pause);
      signal.throwIfAborted();
    }
  }
}
