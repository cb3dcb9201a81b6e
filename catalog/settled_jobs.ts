/**
 * Jobs that are over and whose results are read. No step writes such a job again (`results.end` and
 * `jobs.update` leave it as it is), so that what was read of it once holds for good: also beside other
 * processes of the catalog, and where the catalog is on another machine. Its tags are not part of it.
 */
import type { JobEntry } from "./entries.ts";
import type { JobId } from "../codecs/ids.ts";
import { isTerminal } from "../codecs/job_status.ts";
import { keys, type Scope } from "./keys.ts";
import { keyText } from "./key_text.ts";

/** Jobs that are remembered; a job has a kilobyte or so. */
const mostRemembered = 5_000;

/** Makes a memory of settled jobs. */
export function createSettledJobs(kv: Deno.Kv) {
  /** The job that was seen last is the last. */
  const seen = new Map<string, JobEntry>();
  const nameOf = (scope: Scope, id: JobId) => keyText(keys.job(scope, id));

  return { known, look, forget };

  /** The job, where it is known to be settled. */
  function known(scope: Scope, id: JobId): JobEntry | undefined {
    return seen.get(nameOf(scope, id));
  }

  /** The job where it is settled; undefined where it is not, or there is none. */
  async function look(scope: Scope, id: JobId): Promise<JobEntry | undefined> {
    const before = known(scope, id);
    if (before) return before;
    // In one snapshot: a job that was read before its results were may lack what they say.
    const [{ value: job }, waits] = await kv.getMany<[JobEntry, unknown]>([
      keys.job(scope, id),
      keys.awaitsResults(scope, id),
    ]);
    if (!job || !isTerminal(job.status) || waits.value !== null) return undefined;
    for (const oldest of seen.keys()) {
      if (seen.size < mostRemembered) break;
      seen.delete(oldest);
    }
    seen.set(nameOf(scope, id), job);
    return job;
  }

  /** Forgets a job. */
  function forget(scope: Scope, id: JobId): void {
    seen.delete(nameOf(scope, id));
  }
}
