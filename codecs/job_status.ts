/** The statuses of a Bedrock model invocation job, as botocore 1.43.107 lists them. */
export const jobStatuses = [
  "Submitted",
  "Validating",
  "Scheduled",
  "InProgress",
  "Stopping",
  "Completed",
  "PartiallyCompleted",
  "Failed",
  "Stopped",
  "Expired",
] as const;

/** Where a job is in its life. */
export type JobStatus = typeof jobStatuses[number];

const terminal: ReadonlySet<JobStatus> = new Set(
  ["Completed", "PartiallyCompleted", "Failed", "Stopped", "Expired"] as const,
);

/** Returns whether a job in this status will never change again. */
export function isTerminal(status: JobStatus): boolean {
  return terminal.has(status);
}
