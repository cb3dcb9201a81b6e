/** Reading an object's bytes from its provider. */
import type { ObjectCatalog } from "../catalog/objects.ts";
import { Failure } from "../codecs/failure.ts";
import { isResultsId } from "../codecs/results_id.ts";
import type { ByteRange } from "../providers/provider.ts";
import type { Found } from "./find.ts";
import { accountOf, filesOf, type Reach, scopeOf } from "../reach/reach.ts";
import type { ReadSpool } from "./read_spool.ts";
import { openResults, type ResultsDeps } from "./results/open.ts";

/** What reading needs. */
export interface ReadDeps {
  readonly catalog: ObjectCatalog;
  readonly results: ResultsDeps;
  /** Without it, each range is asked of the provider, whatever that makes of ranges. */
  readonly reads?: ReadSpool;
  /** Waits so many milliseconds; no time passes where absent. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

/** Pauses before a provider that says a file is gone is asked once more, in milliseconds. */
const secondLooks = [300, 1_000] as const;

/**
 * Opens an object's bytes, or a range of them.
 *
 * An object whose file is no longer at the provider (expired, or deleted by other means) is
 * forgotten, so that lists tell the truth from then on. A provider may say so in passing, above all
 * of what it just took, and what is forgotten is lost: so it has to say it three times.
 */
export async function read(
  deps: ReadDeps,
  reach: Reach,
  found: Found,
  range: ByteRange | undefined,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const { record, name } = found;
  for (let looks = 0;; looks++) {
    try {
      return await open(deps, reach, found, range, signal);
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

async function open(
  { reads, results }: ReadDeps,
  { provider }: Reach,
  { record }: Found,
  range: ByteRange | undefined,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const { file, account, bytes } = record;
  const end = bytes - 1;
  const first = range?.first ?? 0;
  const last = Math.min(range?.last ?? end, end);
  if (isResultsId(file)) {
    return await openResults(results, provider, record, { first, last }, signal);
  }
  const files = filesOf(provider, accountOf(provider, account));
  // A range of everything is asked for as a whole: no provider can ignore that.
  if (first === 0 && last === end) return await files.read(file, undefined, signal);
  if (!reads) return await files.read(file, { first, last }, signal);
  const source = JSON.stringify([provider.name, account]);
  const id = JSON.stringify([provider.name, account, file]);
  return await reads.read(
    { id, source, bytes, open: (part, asked) => files.open(file, part, asked) },
    { first, last },
    signal,
  );
}
