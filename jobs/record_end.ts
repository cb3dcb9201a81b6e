/** Writing the end of a job, together with its results. */
import type { JobEntry } from "../catalog/entries.ts";
import { isTerminal } from "../codecs/job_status.ts";
import { endJob } from "./at_end.ts";
import type { JobTools, ScopedJob } from "./deps.ts";
import type { Outcome } from "./results/collect.ts";
import { publish } from "./publish.ts";
import type { Report } from "./run.ts";
import { advance } from "./state.ts";

/** Results that are recorded in one step with the end. */
const mostAtOnce = 20;

/**
 * Ends a job, or gives one that is over its results.
 *
 * @param report Absent where the provider does not have the work any more.
 * @param written Called once the results are where they belong, before they and the end are recorded.
 */
export async function recordEnd(
  deps: JobTools,
  scoped: ScopedJob,
  report: Report | undefined,
  outcome: Outcome,
  written: () => Promise<void> = () => Promise.resolve(),
): Promise<JobEntry | undefined> {
  const { scope, job } = scoped;
  const { results } = deps.catalog;
  const { counts, message: said, objects, cuts } = outcome;
  const complete = await Promise.all(objects.map(async (one) => {
    const { held, file } = one.object;
    if (cuts.length === 0 || held.in !== "batch") return one;
    const cutChunks = await results.setCuts(scope.provider, file, cuts);
    return { ...one, object: { ...one.object, held: { ...held, cutChunks } } };
  }));
  const unwritten = await publish(deps, scoped, complete, report?.endedAt?.getTime());
  await written();
  const message = unwritten === undefined ? said : [said, unwritten].filter(Boolean).join(" ");
  const end = report &&
    { ...report, ...(unwritten !== undefined && { status: "Failed" as const }) };
  // One step holds only so many keys; a folder may have more files.
  const early = complete.slice(0, Math.max(0, complete.length - mostAtOnce));
  await results.record(scope, early);
  const now = deps.now();
  return await endJob(deps, {
    scope,
    id: job.id,
    move(old) {
      const ended = end && advance(old, { ...end, counts, message }, now);
      if (ended || !isTerminal(old.status)) return ended;
      return { ...old, counts, ...(message !== undefined && { message }) };
    },
    objects: complete.slice(early.length),
    outcome,
  });
}
