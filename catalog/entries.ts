/** The entries of the catalog: what it keeps. Times are milliseconds since 1970. */
import type { FileId, JobId } from "../codecs/ids.ts";
import type { JobStatus } from "../codecs/job_status.ts";
import type { PackedParts } from "../codecs/object_parts.ts";
import type { Held } from "./held.ts";
import type { BegunPlan, Plan, SinglePlan } from "./plan.ts";

/** Headers that S3 keeps with an object, by lower-case name. */
export type ObjectHeaders = Readonly<Record<string, string>>;

/** An object that was put through the gateway, or the results of a job. */
export interface ObjectEntry {
  /** What its names are counted by: the provider file's id, or one of its own where there is no file. */
  readonly file: FileId;
  /** What clients see, without quotes. */
  readonly etag: string;
  readonly held: Held;
  /** S3's ETag of the client's bytes where it was computed, also where clients see another. */
  readonly md5?: string;
  /** Bytes that the client sent. */
  readonly bytes: number;
  /** Lines that are not empty, where its bytes passed through the gateway. */
  readonly records?: number;
  readonly modifiedAt: number;
  readonly contentType: string;
  /** Content-Encoding, Cache-Control and the like. */
  readonly headers: ObjectHeaders;
  /** `x-amz-meta-*` without the prefix. */
  readonly metadata: Readonly<Record<string, string>>;
  /** `x-amz-checksum-*`, whole names, of the bytes that the client sent. */
  readonly checksums: Readonly<Record<string, string>>;
  /** What it was uploaded in; absent for an object that was put in one piece. */
  readonly parts?: PackedParts;
  /** When the provider forgets the file, or the gateway the kept object. */
  readonly expiresAt?: number;
}

/** How the checksum of an object in parts comes about. */
export interface UploadChecksum {
  /** `x-amz-checksum-*`, the whole name. */
  readonly header: string;
  /** `COMPOSITE`: a checksum of the parts' checksums; `FULL_OBJECT`: one of all bytes. */
  readonly type: "COMPOSITE" | "FULL_OBJECT";
}

/** An object that comes in parts. */
export interface UploadEntry {
  readonly startedAt: number;
  readonly contentType: string;
  readonly headers: ObjectHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  /** Absent where the client asked for none. */
  readonly checksum?: UploadChecksum;
  /** The disk that its parts wait on; absent in entries of before 0.2. */
  readonly disk?: string;
}

/** A part that waits on disk. */
export interface PartEntry {
  /** Name of its file in the upload's folder of the spool. */
  readonly file: string;
  readonly bytes: number;
  /** Hex MD5, the part's ETag. */
  readonly md5: string;
  readonly modifiedAt: number;
  /** `x-amz-checksum-*`, whole names. */
  readonly checksums: Readonly<Record<string, string>>;
}

/** An object with its name, outside of its own entry. */
export interface NamedObject {
  readonly tenant: string;
  readonly provider: string;
  readonly bucket: string;
  readonly key: string;
  readonly record: ObjectEntry;
}

/** An upload that became an object: what a repeated Complete is answered with. */
export interface CompletedEntry extends NamedObject {
  readonly completedAt: number;
}

/** A bucket that was created, or one that a list has shown because it holds objects. */
export interface BucketEntry {
  readonly createdAt: number;
  /** True where it was never created: the entry only keeps its date, and does not make it exist. */
  readonly implicit?: true;
}

/** Who put a provider file, and under which name; the first where copies gave it several. */
export interface FileEntry {
  /** The file's id, where the entry's key has only a digest of it. */
  readonly id?: FileId;
  readonly tenant: string;
  readonly bucket: string;
  readonly key: string;
  /** Absent where its bytes are at no account. */
  readonly account?: string;
  /** Where its bytes are, unless that is a provider file. */
  readonly in?: Exclude<Held["in"], "provider">;
  /** `trash`: replaced or deleted, and still at the provider. */
  readonly state: "current" | "trash";
  /** A native file that is named by a copy: its id goes on being a name of its own. */
  readonly native?: true;
}

/** A provider file to be deleted as soon as no running job reads it. */
export interface TrashEntry {
  /** The file's id, where the entry's key has only a digest of it. */
  readonly id?: FileId;
  readonly held: Held;
  /** When the backup was made that it came back with: a file that is younger stays at its provider. */
  readonly restoredFrom?: number;
}

/** A job as its creator described it. */
export interface JobDescription {
  readonly id: JobId;
  readonly region: string;
  readonly name: string;
  readonly modelId: string;
  readonly roleArn: string;
  readonly inputDataConfig: InputDataConfig;
  readonly outputDataConfig: OutputDataConfig;
  readonly vpcConfig?: VpcConfig;
  readonly timeoutDurationInHours?: number;
  readonly modelInvocationType?: string;
  readonly clientRequestToken?: string;
  readonly submittedAt: number;
  /** The access key that created it; absent for the anonymous, and for adopted batches. */
  readonly accessKeyId?: string;
  /** The provider that forwards to S3 where the bucket of the output is; absent for results here. */
  readonly outputAt?: string;
}

/** What becomes of a job. */
export interface JobProgress {
  readonly status: JobStatus;
  readonly stopRequested: boolean;
  /** The stop was asked for because the job's own time ran out, and not by a client. */
  readonly timedOut?: true;
  readonly message?: string;
  readonly modifiedAt: number;
  readonly endedAt?: number;
  readonly expiresAt?: number;
  readonly counts?: JobCounts;
  /** Provider files that hold the results. */
  readonly results: readonly FileId[];
  /**
   * Since when its provider has not been taken at its word: that the batch is over, whose results are
   * not there, or that there is no such batch.
   */
  readonly doubtSince?: number;
}

/** A job that its provider has accepted. */
export interface JobEntry extends JobDescription, JobProgress {
  readonly plan: Plan;
  /** How many changes of its status were reported as events; absent where none was. */
  readonly events?: number;
}

/** A job that one batch runs. */
export interface SingleJob extends JobEntry {
  readonly plan: SinglePlan;
}

/** A job whose create is under way. */
export interface BegunJob extends JobDescription {
  readonly plan: BegunPlan;
}

/** How many records are in which state. */
export interface JobCounts {
  readonly total: number;
  readonly processed: number;
  readonly success: number;
  readonly error: number;
}

/** As the client sent it. */
export interface InputDataConfig {
  readonly s3InputDataConfig: {
    readonly s3Uri: string;
    readonly s3InputFormat?: string;
    readonly s3BucketOwner?: string;
  };
}

/** As the client sent it. */
export interface OutputDataConfig {
  readonly s3OutputDataConfig: {
    readonly s3Uri: string;
    readonly s3EncryptionKeyId?: string;
    readonly s3BucketOwner?: string;
  };
}

/** As the client sent it. */
export interface VpcConfig {
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
}

/** A create under way: written before the provider is asked, gone once the job is recorded. */
export interface JournalEntry {
  readonly job: BegunJob;
  /** Under which token the job is promised; absent where the client sent none. */
  readonly promise?: { readonly token: string; readonly digest: string };
  /**
   * When the provider was last being asked, or at the latest will be where the entry is new; it may be
   * at it for a while after its caller is gone.
   */
  readonly askedAt: number;
  /** The gateway process that is at it, until its lease runs out. */
  readonly owner: string;
  readonly leaseUntil: number;
}

/** To which job a batch belongs. */
export interface BatchEntry {
  readonly tenant: string;
  readonly id: JobId;
  /** Whether the job is known to be over, so that it need not be read. */
  readonly over: boolean;
}

/** Which gateway process is at a work that only one does at a time. */
export interface LeaseEntry {
  readonly owner: string;
  /** When it runs out, unless it is prolonged. */
  readonly until: number;
  /** When the work was last done. */
  readonly doneAt?: number;
}

/** A gateway process. One that is gone without a farewell may have left files at a provider. */
export interface InstanceEntry {
  readonly startedAt: number;
  readonly seenAt: number;
  /** It says so again before this time, while it lives; absent in entries of before 0.2. */
  readonly nextAt?: number;
}

/** The backup that a catalog was last brought back from. */
export interface RestoredEntry {
  /** When it was made; files that providers date later are not in it. */
  readonly madeAt: number;
  readonly restoredAt: number;
}
