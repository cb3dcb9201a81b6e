/**
 * Copying an object within its provider. The copy is a second name for the same provider file: a
 * provider that does not give uploaded files back leaves no other way, and one way serves them all.
 * The two names have nothing in common from then on; the file goes with the last of its names.
 */
import type { LinkCatalog } from "../catalog/links.ts";
import type { WriteCondition } from "../catalog/objects.ts";
import type { ObjectEntry } from "../catalog/entries.ts";
import type { Clock } from "../runtime/clock.ts";
import { Failure } from "../codecs/failure.ts";
import { type EtagForm, etagMembers } from "./etag_form.ts";
import { type Address, find, type FindDeps, spelledOut } from "./find.ts";
import { type Reach, scopeOf } from "../reach/reach.ts";
import type { HeldDeps } from "./held_operations.ts";
import { emptyTrash } from "./trash.ts";

/** Description of an object besides its bytes and their checksums. */
export type Description = Pick<ObjectEntry, "contentType" | "headers" | "metadata">;

/** A copy to be made. */
export interface CopyRequest {
  readonly source: Address;
  readonly bucket: string;
  readonly key: string;
  /** Refuses, by throwing, a source that the copy was not meant for. */
  readonly accept: (source: ObjectEntry) => void;
  /** Takes the place of the source's description. */
  readonly description?: Description;
  /** Conditions at the destination. */
  readonly condition: WriteCondition;
}

/** Dependencies of copying. */
export interface CopyDeps extends FindDeps {
  readonly links: LinkCatalog;
  readonly held: HeldDeps;
  readonly etagForm: (reach: Reach, bucket: string) => EtagForm;
  /** Called for a clean-up that has to wait for the sweep. */
  readonly clock: Clock;
  readonly postponed: (what: string, error: unknown) => void;
}

/** How often a source is looked for that is replaced while it is being copied. */
const attempts = 3;
/** Milliseconds that the clean-up behind a copy may take. */
const cleanupMilliseconds = 30_000;

/** Copies an object. Throws `not-found` where there is no source. */
export async function copy(
  deps: CopyDeps,
  reach: Reach,
  request: CopyRequest,
  signal: AbortSignal,
): Promise<ObjectEntry> {
  const { source, bucket, key, accept, description } = request;
  const condition = spelledOut(reach, request.condition);
  for (let n = 0; n < attempts; n++) {
    const found = await find(deps, reach, source, signal);
    if (!found) break;
    accept(found.record);
    const { held, etag, md5 } = found.record;
    const plain = held.in === "provider" ? held.file : etag;
    const record: ObjectEntry = {
      ...found.record,
      ...etagMembers(deps.etagForm(reach, bucket), md5, plain),
      ...description,
      modifiedAt: deps.clock.now(),
    };
    const isNative = found.name === undefined;
    const linked = await deps.links.link(scopeOf(reach), bucket, key, record, isNative, condition);
    if (linked === "gone") continue;
    if (linked.replaced) await cleanUp(deps, reach, linked.replaced);
    return record;
  }
  throw new Failure(
    "not-found",
    `The source of the copy does not exist at ${reach.provider.name}. Copies are made within one ` +
      "provider; to move an object to another, get it from the one and put it to the other",
    { fields: { Key: source.key } },
  );
}

async function cleanUp(deps: CopyDeps, reach: Reach, { file }: ObjectEntry): Promise<void> {
  try {
    const late = AbortSignal.timeout(cleanupMilliseconds);
    await emptyTrash(deps, reach.provider, file, late);
  } catch (error) {
    deps.postponed("a replaced file", error);
  }
}
