/** ARNs of model invocation jobs, and the regions in them. */
import { type JobId, jobId } from "./ids.ts";

/** The parts of a job's ARN. */
export interface JobArn {
  /** As in the ARN; ask {@linkcode isRegion} before it enters a host name. */
  readonly region: string;
  /** An AWS account: 12 digits, in examples fewer. */
  readonly account: string;
  readonly jobId: JobId;
}

/**
 * Writes a job's ARN, `arn:aws:bedrock:us-west-2:123456789012:model-invocation-job/abcdef123456`.
 *
 * @param arn Its region is one that {@linkcode isRegion} accepts.
 */
export function jobArn({ region, account, jobId }: JobArn): string {
  return `arn:aws:bedrock:${region}:${account}:model-invocation-job/${jobId}`;
}

/** The account in ARNs of jobs that AWS knows nothing of. */
export const arnAccount = "000000000000";

const jobArnForm =
  /^arn:aws(?:-[a-z-]+)?:bedrock:([a-z0-9-]{1,32}):([0-9]{1,12}):model-invocation-job\/([a-z0-9]{12})$/;

/**
 * Takes a job's ARN apart; undefined if it is not one. Partitions other than `aws` are understood,
 * and accounts of fewer than 12 digits, which published examples have.
 */
export function parseJobArn(text: string): JobArn | undefined {
  const match = jobArnForm.exec(text);
  if (match === null) return undefined;
  const [, region = "", account = "", id = ""] = match;
  return { region, account, jobId: jobId(id) };
}

const regionForm = /^(?=.{1,32}$)[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}$/;

/**
 * Returns whether this is a region of AWS by its form, such as `us-west-2`, `us-gov-east-1` or
 * `eusc-de-east-1`. Only such a text may enter a host name: any other label of letters, digits and
 * hyphens could lead elsewhere, as `s3` does, which makes `bedrock.s3.amazonaws.com` the bucket
 * `bedrock` of any account.
 */
export function isRegion(text: string): boolean {
  return regionForm.test(text);
}
