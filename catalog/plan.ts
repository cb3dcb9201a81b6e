/** Ways in which a job can run, as entries of the catalog hold them. */
import type { BatchId, FileId } from "../codecs/ids.ts";
import type { S3Uri } from "../codecs/s3_uri.ts";
import type { DialectName } from "../dialects/names.ts";
import type { Held } from "./held.ts";

/** Where the records of a sharded job are read from. */
export type Source =
  /** An object at a provider that stores files, as it was when the job was created. */
  | {
    readonly in: "object";
    readonly provider: string;
    readonly file: FileId;
    readonly held: Held;
    readonly bytes: number;
    /** Whether its bytes are gzip. */
    readonly isPacked?: true;
  }
  /** An object behind a provider that forwards to S3. */
  | {
    readonly in: "s3";
    readonly provider: string;
    readonly location: S3Uri;
    /** What the object was when the job was created. */
    readonly etag: string;
    readonly isPacked?: true;
    /** The account that must own the bucket; any where absent. */
    readonly owner?: string;
  }
  /** Each `.jsonl` and `.jsonl.gz` below a prefix. */
  | {
    readonly in: "folder";
    readonly provider: string;
    /** The prefix is empty, or ends in a slash. */
    readonly location: S3Uri;
    readonly owner?: string;
    /** Whether the job's creator may see native files. */
    readonly native: boolean;
    /** How many pins hold its files; absent where it is listed as it is read. */
    readonly pinned?: number;
  };

/** A model, and where it runs. */
export interface Target {
  readonly provider: string;
  readonly modelId: string;
}

/** Where records run that their own provider has no answer for. */
export interface Fallback extends Target {
  readonly account: string;
  /** What it takes. */
  readonly to: DialectName;
}

/** What is kept of each way in which a job can run. */
interface PlanKinds {
  /** A native batch; without input where its records were inline. */
  readonly native: {
    readonly account: string;
    readonly batch: BatchId;
    readonly input?: FileId;
  };
  /** A provider file that one batch runs, in the provider's own dialect. */
  readonly direct: {
    readonly account: string;
    readonly batch: BatchId;
    /** Absent for a job that was made again of a batch whose provider does not say what it read. */
    readonly input?: FileId;
  };
  /** Records that are translated, or too many for one batch: shards run them. */
  readonly sharded: {
    /** The account of its batches. */
    readonly account: string;
    readonly source: Source;
    /** What its input is counted by where it is at the job's own provider, which keeps it meanwhile. */
    readonly input?: FileId;
    readonly from: DialectName;
    /** Whether the client named the dialect: each record is then taken for one of it. */
    readonly isDeclared: boolean;
    /** What the target takes. */
    readonly to: DialectName;
    /** What the results are in. */
    readonly back: DialectName;
    readonly target: Target;
    readonly onLoss: "report" | "fail";
    readonly retries: 0 | 1 | 2 | 3;
    /** Where records run that have no answer after all else. */
    readonly fallback?: Fallback;
    /** Whether nothing is run: the job says what it would take. */
    readonly isDryRun?: boolean;
  };
}

type PlanOf<Kind extends keyof PlanKinds> = {
  [K in Kind]: { readonly kind: K } & PlanKinds[K];
}[Kind];

/** How a job runs. */
export type Plan = PlanOf<keyof PlanKinds>;

/** The plan of a job that one batch runs. */
export type SinglePlan = PlanOf<"native" | "direct">;

/** The plan of a job of shards. */
export type ShardedPlan = PlanOf<"sharded">;

/** How a job is to run whose provider was not asked yet. */
export type BegunPlan =
  | { readonly kind: "direct"; readonly account: string; readonly input: FileId }
  | PlanOf<"sharded">;
