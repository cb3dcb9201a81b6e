/** Dependencies of the life of a job. */
import type { Catalog } from "../catalog/catalog.ts";
import type { HeldKinds } from "../catalog/held.ts";
import type { Scope } from "../catalog/keys.ts";
import type { JobEntry } from "../catalog/entries.ts";
import type { PriceTable } from "../accounts/prices.ts";
import type { UsageEntry } from "../catalog/usage_entries.ts";
import type { JobStatus } from "../codecs/job_status.ts";
import type { ModelTable } from "../dialects/models.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Objects } from "../objects/objects.ts";
import type { OpenBucket } from "../blobs/client_bucket.ts";
import type { BlobStore } from "../blobs/store.ts";
import type { ScratchFolder } from "./sharded/scratch.ts";
import type { StepOf } from "../runtime/tracing.ts";
import type { Provider, StoringProvider } from "../providers/provider.ts";

/**
 * A job and the provider-side scope that it is recorded in: the caller's, or that of native
 * batches.
 */
export interface ScopedJob {
  readonly scope: Scope;
  readonly job: JobEntry;
}

/**
 * The name of a job in memory. Two providers on one account adopt the same batches under the
 * same ids: an id is not enough.
 */
export function nameOf({ scope, job }: ScopedJob): string {
  return JSON.stringify([scope.tenant, scope.provider, job.id]);
}

/** Returns the job that a step is a part of, for its span. */
export function stepOf({ scope, job }: ScopedJob): StepOf {
  return { provider: scope.provider, job: job.id };
}

/** Where a blob is, apart from its name. */
export type StoredIn = Omit<HeldKinds["store"], "blob">;

/** Tools of the parts of this room. */
export interface JobTools extends JobDeps {
  readonly clock: Clock;
  /**
   * Aborted when the service closes. Work that several callers wait for is bound to it, and to no
   * caller's own signal.
   */
  readonly closing: AbortSignal;
  /** Why jobs cannot go on or end for now, a sentence or two each, by the names of the jobs. */
  readonly delayed: Map<string, string>;
  /** Goes on with a sharded job that has still to be prepared or started, behind the caller. */
  readonly push: (provider: StoringProvider, scoped: ScopedJob) => void;
  /**
   * Notes that an account takes no batch for now, and why; or, without a reason, that one is over.
   */
  readonly queue: (name: { provider: string; account: string }, full?: string) => void;
  /** Whether a job that comes now is to wait its turn at an account. */
  readonly hasQueue: (name: { provider: string; account: string }) => boolean;
  /** Notes that a job is over: it waits for no account any more. */
  readonly leaveQueue: (scoped: ScopedJob) => void;
}

/** A job that this process has ended. */
export interface EndedJob {
  readonly scope: Scope;
  readonly status: JobStatus;
  readonly usage: UsageEntry;
  /** It was over before, and only its results came now. */
  readonly isLate: boolean;
}

/** Dependencies of jobs. */
export interface JobDeps {
  /** Called once a job's end is recorded. */
  readonly ended?: (job: EndedJob) => void;
  readonly catalog: Catalog;
  readonly objects: Objects;
  readonly providers: ReadonlyMap<string, Provider>;
  /** Which model of a provider runs a job that names another one. */
  readonly models: ModelTable;
  /** What models cost now; nothing is known of it where absent. */
  readonly prices?: () => PriceTable;
  /** Where results are kept beyond the time that providers keep them; nowhere where absent. */
  readonly resultStore?: BlobStore;
  /** Where translated records and results are kept; no job is translated where absent. */
  readonly store?: BlobStore;
  /** Returns where what is written to `store` is; absent where that is the store of results. */
  readonly storedIn?: () => Promise<StoredIn>;
  /** Where the results of shards are gathered. */
  readonly scratch: ScratchFolder;
  /** Opens buckets behind providers that forward to S3; inputs and outputs there need it. */
  readonly openBucket?: OpenBucket;
  /** Milliseconds since 1970, for what clients see. */
  readonly now: () => number;
  /** Durations, leases, and what ends jobs; `now` is trusted with all of it where absent. */
  readonly clock?: Clock;
  /** Fills an array with random bytes, as `crypto.getRandomValues` does. */
  readonly random: (bytes: Uint8Array) => Uint8Array;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** The id of this gateway process. */
  readonly instance: string;
  /** A running job's provider is asked at most once in this time; 0: always. */
  readonly pollMilliseconds: number;
  /** The pause between two sweeps; 0 where absent. */
  readonly sweepMilliseconds?: number;
  /** How long a create's lease, or a sweep's, lasts without being prolonged. */
  readonly leaseMilliseconds: number;
  /**
   * How long a provider may be at a create whose caller is gone: a batch that is not to be found
   * by then was never made.
   */
  readonly longestCreateMilliseconds: number;
  /** Whether a token that comes with other parameters is a ConflictException. */
  readonly strictIdempotency: boolean;
  /** The region of jobs whose caller signed for none. */
  readonly defaultRegion: string;
  /** Reports something odd in the log. */
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}
