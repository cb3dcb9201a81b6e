/** An object to be stored, and what storing needs and leaves. */
import type { ObjectEntry, ObjectHeaders } from "../catalog/entries.ts";
import type { WriteCondition } from "../catalog/objects.ts";
import type { RecordIdCatalog } from "../catalog/record_ids.ts";
import type { PackedParts } from "../codecs/object_parts.ts";
import type { Reach } from "../reach/reach.ts";
import type { Clock } from "../runtime/clock.ts";
import type { EtagForm } from "./etag_form.ts";
import type { PutQuota } from "./put_quota.ts";
import type { StoreRoom } from "./store_room.ts";
import type { Registered } from "./registered.ts";
import type { TrashDeps } from "./trash.ts";
import type { UploadMarks } from "./upload_marks.ts";

/** An object to be stored. */
export interface NewObject {
  readonly bucket: string;
  readonly key: string;
  /** Exact length of the body. */
  readonly bytes: number;
  /**
   * The object's bytes: verified already, or a stream whose last chunk comes only after every digest
   * was found right.
   */
  readonly body: ReadableStream<Uint8Array> | Uint8Array;
  /** Whether a stream has given its last byte out. */
  readonly isGivenOut?: () => boolean;
  /** The digests that were verified; known once the body has ended. */
  readonly checksums: () => Readonly<Record<string, string>>;
  /** S3's ETag of the bytes, known once the body has ended; absent where it is not computed. */
  readonly md5?: () => string | undefined;
  /** Lines that are not empty, known once a streamed body has ended; absent where nothing counts them. */
  readonly records?: () => number;
  readonly contentType: string;
  readonly headers: ObjectHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly condition: WriteCondition;
  /** What it was uploaded in, where it was uploaded in parts. */
  readonly parts?: PackedParts;
}

/** Dependencies of storing. */
export interface PutDeps extends TrashDeps {
  readonly recordIds: RecordIdCatalog;
  readonly now: () => number;
  readonly clock: Clock;
  /** Throws `unavailable` where the catalog could not keep the object. */
  readonly checkRoom: () => Promise<void>;
  readonly random: () => number;
  readonly etagForm: (reach: Reach, bucket: string) => EtagForm;
  readonly quota: PutQuota;
  readonly storeRoom: StoreRoom;
  readonly uploads: UploadMarks;
  readonly registered: Registered;
  /** Called for a clean-up that has to wait for the sweep. */
  readonly postponed: (what: string, error: unknown) => void;
}

/** Bytes that were stored, and are to be recorded. */
export interface StoredBytes {
  readonly members: Pick<ObjectEntry, "file" | "held" | "etag" | "md5" | "expiresAt">;
  /** Whether the provider had the file already, as a native one. */
  readonly isNative: boolean;
  /** Of the upload: what is not recorded is found by it. */
  readonly mark: string;
  /** Deletes what was stored, unless it has been recorded. */
  undo(signal: AbortSignal): Promise<void>;
}

/** Seconds that a clean-up may take after the client has its answer, or went away. */
const cleanupSeconds = 30;

/** Cleans up, also when the client has gone; what fails is left to the sweep. */
export async function cleanUp(
  { postponed }: Pick<PutDeps, "postponed">,
  what: string,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  try {
    await work(AbortSignal.timeout(cleanupSeconds * 1000));
  } catch (error) {
    postponed(what, error);
  }
}
