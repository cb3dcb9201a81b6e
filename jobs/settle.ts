/**
 * The end of a job. When its provider says that the batch is over, its results are read and checked;
 * then the job ends and its results appear, in one step. One gateway at a time does it for a job. What
 * is to be done is told by `verdict.ts`; until it is to end, the job runs on.
 */
import type { JobEntry } from "../catalog/entries.ts";
import { bounds } from "../runtime/bounds.ts";
import { isTerminal } from "../codecs/job_status.ts";
import { createPlaces, type Place } from "../runtime/places.ts";
import { SingleFlight } from "../runtime/single_flight.ts";
import { holderOf } from "../objects/reach.ts";
import { type Renewal, startRenewal } from "../objects/renewal.ts";
import type { Batch, StoringProvider } from "../providers/provider.ts";
import { type JobTools, nameOf, type ScopedJob } from "./deps.ts";
import { inTime } from "./in_time.ts";
import { lookAt, recordEnd } from "./look.ts";
import { unreadable, withoutResults } from "./results/collect.ts";
import { missed, vanished } from "./state.ts";
import { type Doubt, isBelievedGone } from "./verdict.ts";
import { createWaits } from "./waits.ts";

/** Ending jobs. */
export type Settling = ReturnType<typeof createSettling>;

/** How long whoever asks for a job waits for its results to be read, in milliseconds. */
const defaultWait = 5_000;
/** The longest pause between two looks, in milliseconds: what is late comes within minutes. */
const longestPause: Readonly<Record<Doubt, number>> = {
  late: 30_000,
  refused: 5 * 60_000,
  missing: 30_000,
};

/** Makes what ends jobs. */
export function createSettling(deps: JobTools) {
  const { clock, catalog: { results, jobs } } = deps;
  const places = createPlaces({
    shared: bounds.results,
    own: bounds.ownResults,
    most: bounds.mostResults,
  });
  /** Results that are being read, or wait for a place. */
  const running = new SingleFlight<JobEntry | undefined>();
  const waits = createWaits(deps);
  const absences = createWaits(deps);

  return { end, gone, found, postpone, isPausing, fits, idle };

  /**
   * Ends a job whose batch is over.
   *
   * @param wait How long the caller waits for it, in milliseconds.
   * @returns The job once it is over; undefined where its results are still being read, here or by
   * another gateway, or where they could not be read for now.
   */
  async function end(
    provider: StoringProvider,
    scoped: ScopedJob,
    batch: Batch,
    wait = defaultWait,
  ): Promise<JobEntry | undefined> {
    const name = nameOf(scoped);
    let work = running.get(name);
    if (!work) {
      if (waits.isPausing(scoped, markOf(batch))) return undefined;
      const hasRoom = fits(scoped);
      work = running.run(name, () => inTurn(provider, scoped, batch));
      // Reading begins later, or with a later question: the one who asks now need not wait for it.
      if (!hasRoom) return undefined;
    }
    return await inTime(work, wait);
  }

  /**
   * What becomes of a job whose batch its provider says it does not have. It is told as it was last
   * known until that is believed; then it ends.
   */
  async function gone(
    provider: StoringProvider,
    scoped: ScopedJob,
    error: Error,
  ): Promise<JobEntry> {
    const { scope, job } = scoped;
    const isOver = isTerminal(job.status);
    const isOld = absences.isOld(job, job.endedAt);
    if (!isBelievedGone({ waited: absences.waited(scoped), isOld: isOver && isOld })) {
      if (absences.postpone(scoped, longestPause.missing) && !deps.closing.aborted) {
        deps.warn("A provider does not have a job's batch; the job is told as it was last known", {
          job: job.id,
          provider: provider.name,
          error,
        });
      }
      return await jobs.update(scope, job.id, (old) => missed(old, deps.now())) ?? job;
    }
    absences.forget(scoped);
    if (isOver) {
      const { counts, message } = job;
      const outcome = unreadable(deps, job, { counts, message }, error);
      return await recordEnd(deps, scoped, undefined, outcome) ?? job;
    }
    const why = `Provider ${provider.name} does not have the batch ${job.batch} any more: it was ` +
      "deleted there. What became of its records is not known.";
    const { objects } = withoutResults(deps, job, job.counts, why);
    const move = (old: JobEntry) => vanished(old, deps.now(), why);
    return await results.settle(scope, job.id, move, objects) ?? job;
  }

  /** Takes back that a job's batch is missing. */
  function found(scoped: ScopedJob): void {
    absences.forget(scoped);
  }

  /** Whether a job is left alone until what is doubted about it may have changed. */
  function isPausing(scoped: ScopedJob): boolean {
    return waits.isPausing(scoped) || absences.isPausing(scoped);
  }

  /** Whether a job's results would be read at once: its tenant and its account have a place left. */
  function fits({ scope, job }: ScopedJob): boolean {
    return places.fits(holderOf(scope, job.account));
  }

  /** Resolves when nothing is being read any more. */
  async function idle(): Promise<void> {
    await running.settled();
  }

  /** Reads the results once there is a place; undefined where there is none in time. Never throws. */
  async function inTurn(
    provider: StoringProvider,
    scoped: ScopedJob,
    batch: Batch,
  ): Promise<JobEntry | undefined> {
    const { scope, job } = scoped;
    let place: Place | undefined;
    try {
      place = await places.wait(holderOf(scope, job.account), {
        signal: deps.closing,
        milliseconds: bounds.resultsWaitMilliseconds,
      });
    } catch {
      // The gateway closes: whoever has the catalog next reads the results.
      return undefined;
    }
    try {
      return place && await attempt(provider, scoped, batch);
    } finally {
      place?.leave();
    }
  }

  /** Reads the results under a lease; never throws. */
  async function attempt(
    provider: StoringProvider,
    scoped: ScopedJob,
    batch: Batch,
  ): Promise<JobEntry | undefined> {
    const { scope, job } = scoped;
    const lease = () => {
      const until = clock.latest() + deps.leaseMilliseconds;
      return results.lease(scope, job.id, deps.instance, clock.earliest(), until);
    };
    const prolong = async () => void await lease().catch(lost);
    let renewal: Renewal | undefined;
    try {
      if (!await lease()) return undefined;
      renewal = startRenewal(deps.leaseMilliseconds / 3, prolong);
      const doubt = {
        waited: waits.waited(scoped),
        isOld: waits.isOld(job, batch.endedAt?.getTime()),
      };
      const seen = await lookAt(deps, provider, job, batch, doubt);
      await renewal.stop();
      if ("because" in seen) {
        postpone(scoped, seen.error, batch, seen.because);
        return undefined;
      }
      const settled = await recordEnd(deps, scoped, batch, seen);
      waits.forget(scoped);
      return settled;
    } catch (error) {
      postpone(scoped, error, batch);
      return undefined;
    } finally {
      await renewal?.stop();
      await results.release(scope, job.id, deps.instance).catch(lost);
    }
  }

  /** Leaves a job alone for a while. */
  function postpone(
    scoped: ScopedJob,
    error: unknown,
    batch?: Batch,
    because: Doubt = "refused",
  ): void {
    const { scope, job } = scoped;
    waits.postpone(scoped, longestPause[because], batch && markOf(batch));
    if (deps.closing.aborted) return;
    const fields = { job: job.id, provider: scope.provider, ...(error !== undefined && { error }) };
    deps.warn("The results of a job could not be read; they will be tried again", fields);
  }

  function lost(error: unknown): void {
    deps.warn("The lease on a job's results could not be changed", { error });
  }
}

/** What a look at a batch depends on: where it differs there is no reason to wait. */
function markOf({ status, results, areMoreResults = false, counts }: Batch): string {
  return JSON.stringify([status, results, areMoreResults, counts]);
}
