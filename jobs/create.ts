/**
 * Creating a job: exactly one batch for one create.
 *
 * The identity of a create is its token and its parameters together. A journal entry is written
 * before the provider is asked, with the job's id, which travels in the provider's own metadata;
 * who finds an entry of a dead gateway looks for that id at the provider before asking again.
 */
import { hash } from "node:crypto";
import type { Scope } from "../catalog/keys.ts";
import type { BegunJob, JobEntry, JournalEntry } from "../catalog/entries.ts";
import { Failure } from "../codecs/failure.ts";
import type { JobId } from "../codecs/ids.ts";
import { newJobId } from "../codecs/job_id.ts";
import { SingleFlight } from "../runtime/single_flight.ts";
import { type Reach, scopeOf } from "../reach/reach.ts";
import type { JobTools } from "./deps.ts";
import { freshMilliseconds } from "./fresh_input.ts";
import { firstLease, type JournalWork } from "./journal.ts";
import { checkOutput, outputProvider } from "./output.ts";
import { planJob } from "./plan_job.ts";
import { reservationOf } from "./quota.ts";
import type { CreateRequest } from "./validate.ts";

/** Identifies a create request: the token, and a digest of all else. */
type Identity = NonNullable<JournalEntry["promise"]>;

/** A create whose entry was written. */
interface Begun {
  readonly entry: JournalEntry;
  /** Whether its input was just put. */
  readonly isFresh: boolean;
}

/** How long a call waits for another gateway that is at the same create, in milliseconds. */
const patience = 45_000;
/** How often it looks, in milliseconds. */
const interval = 150;
/** How often an input is looked for that a put replaces before the job holds it. */
const mostLooks = 5;

/** Makes the function that creates jobs. */
export function createCreate(deps: JobTools, work: JournalWork) {
  const { catalog } = deps;
  /** Creates under way in this process, by whose and what they are. */
  const underWay = new SingleFlight<JobEntry>();

  return create;

  /** Creates a job, or answers with the one that the same create made before. */
  function create(
    reach: Reach,
    region: string,
    request: CreateRequest,
    signal: AbortSignal,
  ): Promise<JobEntry> {
    if (request.clientRequestToken === undefined) return start(reach, region, request, signal);
    const identity = { token: request.clientRequestToken, digest: digestOf(request) };
    const name = JSON.stringify([scopeOf(reach), identity]);
    // Not bound to this caller's signal: the others wait for the same outcome.
    return underWay.run(name, () => repeatable(reach, region, request, identity));
  }

  async function repeatable(
    reach: Reach,
    region: string,
    request: CreateRequest,
    identity: Identity,
  ): Promise<JobEntry> {
    const scope = scopeOf(reach);
    const deadline = deps.clock.uptime() + patience;
    while (deps.clock.uptime() < deadline) {
      const id = await catalog.journal.promised(scope, identity.token, identity.digest);
      if (id === undefined) {
        const begun = await begin(reach, region, request, deps.closing, identity);
        if (begun) await checkFirst(scope, begun.entry, identity);
        const job = begun &&
          await work.carryOut(reach, scope, begun.entry, request.tags, begun.isFresh);
        if (job) return job;
      } else {
        const job = await catalog.jobs.get(scope, id) ?? await work.resume(reach, scope, id);
        if (job) return job;
        // Another gateway is at it, has just finished it, or was just refused: look again.
        await deps.sleep(interval);
      }
    }
    throw busy();
  }

  async function start(
    reach: Reach,
    region: string,
    request: CreateRequest,
    signal: AbortSignal,
  ): Promise<JobEntry> {
    const begun = await begin(reach, region, request, signal, undefined);
    const job = begun &&
      await work.carryOut(reach, scopeOf(reach), begun.entry, request.tags, begun.isFresh);
    if (!job) throw busy();
    return job;
  }

  /**
   * Writes the journal entry; undefined if another create took the token meanwhile. From then on the
   * job holds its input; where a put replaced what was found before that, the new object is the input.
   */
  async function begin(
    reach: Reach,
    region: string,
    request: CreateRequest,
    signal: AbortSignal,
    promise: Identity | undefined,
  ): Promise<Begun | undefined> {
    for (let looks = 1;; looks++) {
      try {
        return await beginWithFound(reach, region, request, signal, promise);
      } catch (error) {
        if (looks === mostLooks || !isInputGone(error)) throw error;
      }
    }
  }

  async function beginWithFound(
    reach: Reach,
    region: string,
    request: CreateRequest,
    signal: AbortSignal,
    promise: Identity | undefined,
  ): Promise<Begun | undefined> {
    const planned = await planJob(deps, reach, request, signal);
    const { modifiedAt, plan, isNamed, pins = [] } = planned;
    // Its batch is looked for by this time, and its own time runs from it.
    const submittedAt = deps.clock.earliest();
    const { jobName: name, tags, ...rest } = request;
    const outputAt = outputProvider(reach, rest);
    const job: BegunJob = {
      ...rest,
      ...(reach.accessKeyId !== undefined && { accessKeyId: reach.accessKeyId }),
      ...(outputAt !== undefined && { outputAt }),
      plan,
      id: newJobId(submittedAt, deps.random),
      region,
      name,
      submittedAt,
    };
    await checkOutput(deps.objects, reach, job);
    const entry: JournalEntry = {
      job,
      ...firstLease(deps, deps.clock.latest()),
      ...(promise && { promise }),
    };
    const reservation = await reservationOf(deps, reach, planned, job, signal);
    const isFresh = submittedAt - modifiedAt < freshMilliseconds;
    const scope = scopeOf(reach);
    let isOurs = false;
    try {
      if (pins.length > 0) await catalog.pins.hold(scope, job.id, pins, reach.native);
      isOurs = await catalog.journal.begin(scope, entry, tags, isNamed, reservation);
    } finally {
      if (!isOurs && pins.length > 0) await letGo(scope, job.id);
    }
    return isOurs ? { entry, isFresh } : undefined;
  }

  /** Lets go of what a create held that came to nothing; where that fails the sweep does it. */
  async function letGo(scope: Scope, id: JobId): Promise<void> {
    try {
      // An entry that was written although the catalog did not answer is the sweep's to abandon.
      if (await catalog.journal.get(scope, id)) return;
      await catalog.pins.forget(scope, id);
      await catalog.shards.forget(scope, id);
    } catch (error) {
      deps.warn("What a create held could not be let go yet", { job: id, error });
    }
  }

  /** Reports a token that stands for a job with other parameters. */
  async function checkFirst(
    scope: Scope,
    entry: JournalEntry,
    { token }: Identity,
  ): Promise<void> {
    if (await catalog.journal.isFirst(scope, token, entry.job.id)) return;
    if (deps.strictIdempotency) {
      await catalog.journal.abandon(scope, entry);
      throw new Failure(
        "conflict",
        "This clientRequestToken was used for a job with other parameters. " +
          "Send a new token with a new job, or the same parameters to get the first job",
      );
    }
    const message = "A clientRequestToken came again with other parameters: it starts a new job";
    deps.warn(message, { tenant: scope.tenant, provider: scope.provider });
  }
}

/** Returns whether an input that was found is no longer there, or is being deleted. */
function isInputGone(error: unknown): boolean {
  return error instanceof Failure && (error.details.gone === true || error.kind === "not-found");
}

function busy(): Failure {
  return new Failure(
    "unavailable",
    "The same job is being created by another gateway. Try again with the same token",
    { retryAfterSeconds: 1 },
  );
}

/** A digest of everything in a request but its token, whatever the order of its members. */
function digestOf({ clientRequestToken: _, ...parameters }: CreateRequest): string {
  return hash("sha256", JSON.stringify(sorted(parameters)), "base64url");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  return entries.map(([name, inner]) => [name, sorted(inner)]);
}
