/** What a job's `message` says once it is over. */
import type { JobProgress } from "../catalog/entries.ts";
import type { JobStatus } from "../codecs/job_status.ts";

const partly = "The provider's time for the batch ran out before it got to every record.";
/** Why a job is over whose provider gave no reason; programs read the message without a look. */
const reasons: Readonly<Partial<Record<JobStatus, string>>> = {
  PartiallyCompleted: partly,
  Failed: "The provider failed the batch and gave no reason.",
  Stopped: "The batch was cancelled at its provider.",
  Expired: "The provider's time for the batch ran out, and it keeps no results of it.",
};

const asked = "The job was stopped because that was asked for.";
/** The most characters of a message. */
export const maxMessage = 2_048;

/** What to say of an end that needs a reason, where other sentences follow. */
const beginnings: Readonly<Partial<Record<JobStatus, string>>> = {
  PartiallyCompleted: partly,
  Expired: "The provider's time for the batch ran out.",
};

/**
 * Returns what is to be said of an end, as one message: why it came before all was done, in the
 * provider's words where it has any, and then the sentences; undefined where there is nothing to
 * say.
 */
export function messageWith(
  { status, message }: { readonly status: JobStatus; readonly message?: string | undefined },
  sentences: readonly string[],
): string | undefined {
  const reported = message === "" ? undefined : message;
  if (sentences.length === 0) return reported;
  const reason = reported ?? beginnings[status];
  const rest = sentences.join(" ");
  if (reason === undefined) return rest.slice(0, maxMessage);
  // The reason may be the longer of the two, and is cut then.
  return `${reason.slice(0, Math.max(0, maxMessage - rest.length - 1))} ${rest}`.trimStart()
    .slice(0, maxMessage);
}

/**
 * The message of a job's end; undefined while it runs, and where it completed well.
 */
export function messageOfEnd(
  { status, message, stopRequested }: Pick<JobProgress, "status" | "message" | "stopRequested">,
): string | undefined {
  const reported = message === undefined || message === "" ? undefined : message;
  if (status !== "Stopped" || !stopRequested) return reported ?? reasons[status];
  if (reported === undefined) return asked;
  return reported.startsWith(asked) ? reported : `${asked} ${reported}`.slice(0, maxMessage);
}
