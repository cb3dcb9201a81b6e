/**
 * The end of a job. When its provider says that the batch is over, its results are read once and
 * checked; then the job ends and its results appear, in one step. One gateway at a time does it for
 * a job. What fails for a passing reason is tried again later, and until then the job runs on.
 */
import type { JobRecord } from "../catalog/records.ts";
import { bounds } from "../codecs/bounds.ts";
import { Failure, type FailureKind } from "../codecs/failure.ts";
import { isTerminal } from "../codecs/job_status.ts";
import { createPlaces, type Place } from "../codecs/places.ts";
import { SingleFlight } from "../codecs/single_flight.ts";
import { accountOf, holderOf } from "../objects/reach.ts";
import { type Renewal, startRenewal } from "../objects/renewal.ts";
import type { Batch, StoringProvider } from "../providers/provider.ts";
import { type JobTools, nameOf, type ScopedJob } from "./deps.ts";
import { collect, type Outcome, unreadable } from "./results/collect.ts";
import { advance } from "./state.ts";

/** Ending jobs. */
export type Settling = ReturnType<typeof createSettling>;

/** How long whoever asks for a job waits for its results to be read, in milliseconds. */
const defaultPatience = 5_000;
/** Jobs that were over when they were found, of which one sweep reads the results. */
const mostCaughtUp = 64;
/** Jobs of which it is remembered that nothing is left to be read. */
const maxSettled = 20_000;
const firstPause = 1_000;
const longestPause = 5 * 60_000;
/** So often a provider may say that results are not there before it is believed. */
const patientTries = 6;
/** Long after a batch's end the first such word is believed, in milliseconds. */
const longAfter = 60 * 60_000;

/** What will not be better the next time. */
const lasting: ReadonlySet<FailureKind> = new Set([
  "not-found",
  "invalid",
  "unsupported",
  "too-large",
]);

/** Makes what ends jobs. */
export function createSettling(deps: JobTools) {
  const { clock, catalog: { results, jobs } } = deps;
  const places = createPlaces({
    shared: bounds.results,
    own: bounds.ownResults,
    most: bounds.mostResults,
  });
  /** Results that are being read, or wait for a place. */
  const running = new SingleFlight<JobRecord | undefined>();
  const catching = new SingleFlight<JobRecord>();
  const refused = new Map<string, { readonly times: number; readonly until: number }>();
  const settled = new Set<string>();

  return { end, catchUp, sweep, idle };

  /**
   * Ends a job whose batch is over.
   *
   * @returns The job once it is over; undefined where its results are still being read, here or by
   * another gateway, or where they could not be read for now.
   */
  async function end(
    provider: StoringProvider,
    scoped: ScopedJob,
    batch: Batch,
    patience = defaultPatience,
  ): Promise<JobRecord | undefined> {
    const name = nameOf(scoped);
    let work = running.get(name);
    if (!work) {
      if (isPausing(name)) return undefined;
      const hasRoom = places.fits(holderOf(scoped.scope, scoped.job.account));
      work = running.run(name, () => inTurn(provider, scoped, batch, name));
      // Reading begins later, or with a later question: the one who asks now need not wait for it.
      if (!hasRoom) return undefined;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const enough = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), patience);
    });
    try {
      return await Promise.race([work, enough]);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Reads the results of a job that was over when it was found. Its state is known without them, so
   * what goes wrong is no matter of whoever asks for the job.
   *
   * @returns The job as it is then.
   */
  async function catchUp(provider: StoringProvider, scoped: ScopedJob): Promise<JobRecord> {
    const { scope, job } = scoped;
    const name = nameOf(scoped);
    if (settled.has(name) || isPausing(name)) return job;
    if (!await results.isWaiting(scope, job.id)) {
      // Jobs wait from their adoption on, or never: a poll of an old one need not look again.
      if (settled.size >= maxSettled) settled.clear();
      settled.add(name);
      return job;
    }
    return await catching.run(name, () => catchUpOnce(provider, scoped));
  }

  async function catchUpOnce(provider: StoringProvider, scoped: ScopedJob): Promise<JobRecord> {
    const { job } = scoped;
    try {
      const { batches } = accountOf(provider, job.account);
      const batch = await batches.get(job.batch, deps.closing);
      return await end(provider, scoped, batch) ?? job;
    } catch (error) {
      if (error instanceof Failure && error.kind === "not-found") {
        // The batch itself was deleted.
        const { counts, message } = job;
        return await record(scoped, undefined, unreadable(deps, job, { counts, message }, error)) ??
          job;
      }
      postpone(nameOf(scoped), scoped, error);
      return job;
    }
  }

  /** Reads results of jobs that were over when they were found. */
  async function sweep(signal: AbortSignal): Promise<void> {
    let left = mostCaughtUp;
    for await (const { scope, id } of results.waiting()) {
      if (signal.aborted || left === 0) return;
      const provider = deps.providers.get(scope.provider);
      const job = await jobs.get(scope, id);
      if (!job || !provider || provider.forwards || isPausing(nameOf({ scope, job }))) continue;
      // Those that are being read now go on; the next sweep takes others.
      if (!places.fits(holderOf(scope, job.account))) continue;
      left--;
      settled.delete(nameOf({ scope, job }));
      await catchUp(provider, { scope, job });
    }
  }

  function isPausing(name: string): boolean {
    const pause = refused.get(name);
    return pause !== undefined && clock.uptime() < pause.until;
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
    name: string,
  ): Promise<JobRecord | undefined> {
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
      return place && await attempt(provider, scoped, batch, name);
    } finally {
      place?.leave();
    }
  }

  /** Reads the results under a lease; never throws. */
  async function attempt(
    provider: StoringProvider,
    scoped: ScopedJob,
    batch: Batch,
    name: string,
  ): Promise<JobRecord | undefined> {
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
      const outcome = await read(provider, scoped, batch, name);
      await renewal.stop();
      const settled = await record(scoped, batch, outcome);
      refused.delete(name);
      return settled;
    } catch (error) {
      postpone(name, scoped, error);
      return undefined;
    } finally {
      await renewal?.stop();
      await results.release(scope, job.id, deps.instance).catch(lost);
    }
  }

  /** The results; without them where they will never be there. */
  async function read(
    provider: StoringProvider,
    scoped: ScopedJob,
    batch: Batch,
    name: string,
  ): Promise<Outcome> {
    try {
      return await collect(deps, provider, scoped.job, batch);
    } catch (error) {
      const isLasting = error instanceof Failure && lasting.has(error.kind);
      const times = (refused.get(name)?.times ?? 0) + 1;
      const now = clock.earliest();
      const age = now - (batch.endedAt?.getTime() ?? now);
      if (!isLasting || times < patientTries && age < longAfter) throw error;
      // Of batches that others made long ago it is what one expects.
      if (!scoped.job.native) {
        deps.warn("The results of a job cannot be read any more", { job: scoped.job.id, error });
      }
      return unreadable(deps, scoped.job, batch, error);
    }
  }

  /** Ends a job, or gives one that is over its results. */
  async function record(
    { scope, job }: ScopedJob,
    batch: Batch | undefined,
    { counts, message, objects, cuts }: Outcome,
  ): Promise<JobRecord | undefined> {
    const complete = await Promise.all(objects.map(async (one) => {
      if (cuts.length === 0 || one.results.parts.length === 0) return one;
      const cutChunks = await results.setCuts(scope.provider, one.object.file, cuts);
      return { ...one, results: { ...one.results, cutChunks } };
    }));
    const now = deps.now();
    return await results.settle(scope, job.id, (old) => {
      const ended = batch && advance(old, { ...batch, counts, message }, now);
      if (ended || !isTerminal(old.status)) return ended;
      return { ...old, counts, ...(message !== undefined && { message }) };
    }, complete);
  }

  function postpone(name: string, { scope, job }: ScopedJob, error: unknown): void {
    const times = (refused.get(name)?.times ?? 0) + 1;
    const pause = Math.min(longestPause, firstPause * 2 ** (times - 1));
    refused.set(name, { times, until: clock.uptime() + pause });
    if (deps.closing.aborted) return;
    const fields = { job: job.id, provider: scope.provider, error };
    deps.warn("The results of a job could not be read; they will be tried again", fields);
  }

  function lost(error: unknown): void {
    deps.warn("The lease on a job's results could not be changed", { error });
  }
}
