/** A job of the simulated Bedrock: what is stored of it, and where it is in its life at a time. */
import type { JobStatus } from "../../codecs/job_status.ts";
import type { Json, SandboxOptions } from "../context.ts";
import { durationOf } from "../duration.ts";

/** How many records are in which state. */
export interface Counts {
  readonly total: number;
  readonly processed: number;
  readonly success: number;
  readonly error: number;
}

/** A job as it is stored. Times are ISO 8601. */
export interface Job {
  readonly id: string;
  readonly arn: string;
  readonly region: string;
  readonly jobName: string;
  readonly modelId: string;
  readonly roleArn: string;
  readonly clientRequestToken?: string;
  readonly input: { readonly s3InputDataConfig: { readonly s3Uri: string } };
  readonly output: { readonly s3OutputDataConfig: { readonly s3Uri: string } };
  readonly vpcConfig?: Json;
  readonly timeoutDurationInHours?: number;
  readonly modelInvocationType: "InvokeModel" | "Converse";
  readonly tags: Readonly<Record<string, string>>;
  readonly submitTime: string;
  /** When a stop was asked for. */
  readonly stopTime?: string;
  /** Set once validation has passed: how many records there are, and how many of them will succeed. */
  readonly valid?: { readonly total: number; readonly success: number };
  /** Set once it is over. */
  readonly end?: {
    readonly status: JobStatus;
    readonly time: string;
    readonly message?: string;
    readonly counts?: Counts;
  };
}

/** Where a job is, going only by the clock. */
export interface Phase {
  readonly status: JobStatus;
  /** When it came there, in milliseconds since 1970. */
  readonly since: number;
  /** Whether its input has been validated by now. */
  readonly validated: boolean;
  /** The part of its records that is done: 0 to 1. */
  readonly progress: number;
}

/** When each part of a job begins, as a part of the batch's time. */
const validatingAt = 0.1;
const scheduledAt = 0.25;
const runningAt = 0.4;
const stoppingTakes = 0.1;
/** What a job gets that does not say otherwise; the sandbox's window stands for as long. */
const usualHours = 24;

/** Returns when a job expires, in milliseconds since 1970. */
export function deadline(job: Job, { windowSeconds }: SandboxOptions): number {
  const hours = job.timeoutDurationInHours ?? usualHours;
  return Date.parse(job.submitTime) + windowSeconds * 1000 * hours / usualHours;
}

/**
 * Returns where a job is at a time (milliseconds since 1970), if nothing is wrong with its input.
 */
export function phaseAt(job: Job, now: number, options: SandboxOptions): Phase {
  const submitted = Date.parse(job.submitTime);
  const whole = durationOf(options, submitted);
  const validating = submitted + validatingAt * whole;
  const scheduled = submitted + scheduledAt * whole;
  const running = submitted + runningAt * whole;
  const done = submitted + whole;
  const expires = deadline(job, options);
  const stopping = job.stopTime === undefined ? Infinity : Date.parse(job.stopTime);
  /** Work ends at the first of these. */
  const worksUntil = Math.min(now, stopping, expires, done);
  const validated = worksUntil >= scheduled;
  const progress = worksUntil >= done
    ? 1
    : Math.max(0, (worksUntil - running) / Math.max(1, done - running));
  const at = (status: JobStatus, since: number): Phase => ({ status, since, validated, progress });

  if (stopping < Math.min(expires, done)) {
    const stopped = stopping + stoppingTakes * whole;
    return now < stopped ? at("Stopping", stopping) : at("Stopped", stopped);
  }
  if (now >= Math.min(expires, done)) {
    if (done <= expires) return at("Completed", done);
    return at(expires > running ? "PartiallyCompleted" : "Expired", expires);
  }
  if (now >= running) return at("InProgress", running);
  if (now >= scheduled) return at("Scheduled", scheduled);
  if (now >= validating) return at("Validating", validating);
  return at("Submitted", submitted);
}

/** The counts of a job that is still running. */
function countsSoFar({ valid }: Job, progress: number): Counts | undefined {
  if (valid === undefined) return undefined;
  const { total, success } = valid;
  const processed = Math.floor(total * progress);
  const good = total === 0 ? 0 : Math.floor(processed * success / total);
  return { total, processed, success: good, error: processed - good };
}

/** A job in the answers of Get and List. */
export function jobView(job: Job, now: number, options: SandboxOptions): Record<string, Json> {
  const phase = phaseAt(job, now, options);
  const end = job.end;
  const counts = end === undefined ? countsSoFar(job, phase.progress) : end.counts;
  const changed = end?.time ?? new Date(phase.since).toISOString();
  return {
    jobArn: job.arn,
    jobName: job.jobName,
    modelId: job.modelId,
    ...(job.clientRequestToken === undefined ? {} : { clientRequestToken: job.clientRequestToken }),
    roleArn: job.roleArn,
    status: end?.status ?? phase.status,
    ...(end?.message === undefined ? {} : { message: end.message }),
    submitTime: job.submitTime,
    lastModifiedTime: changed,
    ...(end === undefined ? {} : { endTime: end.time }),
    inputDataConfig: job.input,
    outputDataConfig: job.output,
    ...(job.vpcConfig === undefined ? {} : { vpcConfig: job.vpcConfig }),
    ...(job.timeoutDurationInHours === undefined
      ? {}
      : { timeoutDurationInHours: job.timeoutDurationInHours }),
    jobExpirationTime: new Date(deadline(job, options)).toISOString(),
    modelInvocationType: job.modelInvocationType,
    ...(counts === undefined ? {} : {
      totalRecordCount: counts.total,
      processedRecordCount: counts.processed,
      successRecordCount: counts.success,
      errorRecordCount: counts.error,
    }),
  };
}
