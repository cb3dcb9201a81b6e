/** The entries of sharded jobs. Times are milliseconds since 1970. */
import type { BatchId, BlobName, FileId } from "../codecs/ids.ts";
import type { JobStatus } from "../codecs/job_status.ts";
import type { JobCounts } from "./entries.ts";

/** What the input of a sharded job was found to hold. */
export interface PreparedEntry {
  readonly records: number;
  /** Records that the target cannot take: they have an error line and are not sent. */
  readonly refused: number;
  /** Records that lost something in translation. */
  readonly lossy: number;
  /** The report of losses, in the blob store; absent where nothing was lost. */
  readonly losses?: StoredBytes;
  /** The input as it was read, where it may change or go meanwhile. */
  readonly copy?: CopiedInput;
  /** The last round whose shards are recorded; 0 where absent. */
  readonly round?: number;
  /** What a job that runs nothing would have sent. */
  readonly size?: PreparedSize;
}

/** An input that was copied to the blob store as it was read. */
export interface CopiedInput {
  /** Its files in a row, decompressed. */
  readonly bytes: StoredBytes;
  /** A JSON list of its files, each as `CopiedFile` has it. */
  readonly files: StoredBytes;
}

/** A file of an input that was copied. */
export interface CopiedFile {
  /** Relative to the input's folder; absent where the input is one object. */
  readonly path?: string;
  readonly bytes: number;
  readonly records: number;
}

/** Size of what was prepared; tokens are an estimate. */
export interface PreparedSize {
  readonly batches: number;
  /** Of the input. */
  readonly bytes: number;
  readonly tokens: number;
}

/** Bytes in the blob store. */
export interface StoredBytes {
  readonly blob: BlobName;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** A part of a job that one batch runs. */
export interface ShardEntry {
  readonly n: number;
  /** The round that it belongs to: 0, where absent, is the first; later ones run records again. */
  readonly round?: number;
  /** The provider that runs it, where that is not the job's own. */
  readonly provider?: string;
  readonly account: string;
  /** Its records are among those of these numbers, which count from 1. */
  readonly first: number;
  readonly last: number;
  readonly records: number;
  /** Physical lines of the input that these two are on; absent where the input is a folder. */
  readonly span?: readonly [first: number, last: number];
  /** Whether each line between them is one that was sent, in this order. */
  readonly isInARow?: true;
  /** Its records as the provider takes them, one a line. */
  readonly lines: StoredBytes;
  /** The provider file that holds them, where the provider takes files. */
  readonly file?: FileId;
  /** When the provider was last asked for the batch. */
  readonly askedAt?: number;
  readonly batch?: BatchId;
  /** Why it has no batch yet, where the provider or a limit keeps it waiting: a sentence. */
  readonly waitsFor?: string;
  /** When that was last found so, in milliseconds since 1970. */
  readonly waitedAt?: number;
  /** Since when its provider says that it does not have the batch; for good where the shard has ended. */
  readonly missedAt?: number;
  /** How its batch ended, or why it has none. */
  readonly end?: ShardEnd;
}

/** The end of a shard. */
export interface ShardEnd {
  readonly status: JobStatus;
  readonly counts?: JobCounts;
  readonly message?: string;
  readonly results: readonly FileId[];
  readonly endedAt: number;
}
