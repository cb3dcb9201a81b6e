/**
 * Creates under way. The entry is written before the provider is asked and goes in the same step
 * that records the job; what is found here after its lease ran out is a create whose gateway died.
 */
import { Failure } from "../codecs/failure.ts";
import type { JobId } from "../codecs/ids.ts";
import { keys, type Scope } from "./keys.ts";
import { type Attempt, change } from "./kv.ts";
import { isOthers } from "./leases.ts";
import { writeJob } from "./jobs.ts";
import type { Outbox } from "./outbox.ts";
import { batchOf, inputOf } from "./plans.ts";
import { inTurn, releaseJob, type ReservationEntry, reserveJob } from "./quotas.ts";
import type { FileEntry, JobEntry, JournalEntry } from "./entries.ts";

/** An entry and whose it is. */
export interface OwnedEntry {
  readonly scope: Scope;
  readonly entry: JournalEntry;
}

/** The journal's part of the catalog. */
export type JournalCatalog = ReturnType<typeof createJournalCatalog>;

/** Makes the journal's part of the catalog. */
export function createJournalCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
  outbox?: Outbox,
) {
  return { begin, get, lease, finish, abandon, entries, promised, isFirst };

  /**
   * Opens an entry, with the job's tags, promises the job to its token, and keeps its input from
   * being deleted.
   *
   * Throws `invalid` with `gone` where the input is being deleted, or was.
   *
   * @param isNamed Whether the input is an object of the catalog's, which is gone once no name is left.
   * @param reservation Of the access key's limits; `denied` is thrown where they have no room for it.
   * @returns False if the token was promised to another job in the meantime.
   */
  function begin(
    scope: Scope,
    entry: JournalEntry,
    tags: Readonly<Record<string, string>>,
    isNamed = false,
    reservation?: ReservationEntry,
  ): Promise<boolean> {
    const { id } = entry.job;
    const attempt = async (): Promise<Attempt<boolean>> => {
      const step = kv.atomic().set(keys.journalEntry(scope, id), entry);
      const file = inputOf(entry.job);
      const [now, record] = await Promise.all([
        entry.promise && kv.get<JobId>(
          keys.token(scope, entry.promise.token, entry.promise.digest),
        ),
        file && kv.get<FileEntry>(keys.file(scope.provider, file)),
      ]);
      if (now) {
        if (now.value !== null) return { done: now.value === id };
        step.check(now).set(now.key, id);
      }
      if (file !== undefined && record) {
        // A deletion puts the file into the trash first, and then looks for its readers.
        const isGone = record.value ? record.value.state === "trash" : isNamed;
        if (isGone) throw deleted();
        step.check(record).set(keys.use(scope.provider, file, id), true);
      }
      if (reservation) await reserveJob(kv, step, scope, id, reservation);
      for (const [name, value] of Object.entries(tags)) step.set(keys.tag(scope, id, name), value);
      if ((await step.commit()).ok) return { done: true };
      // Over KV Connect a step may be applied and still answer "not ok" (its connection broke):
      // then the next attempt finds the token promised to this very job.
      return "again";
    };
    return inTurn(kv, reservation, () => change(sleep, attempt));
  }

  /** The entry of this job, if its create is under way. */
  async function get(scope: Scope, id: JobId): Promise<JournalEntry | undefined> {
    return (await kv.get<JournalEntry>(keys.journalEntry(scope, id))).value ?? undefined;
  }

  /**
   * Takes or prolongs the lease of an entry. It is held by the entry itself, not by one of its own as
   * other leases are: a create begins with both in one write, and what holds the lease says in the
   * same write that the provider is being asked.
   *
   * @param now The earliest that it may be: another's lease must be over for certain.
   * @param asked When the provider is being asked, the latest that it may be; undefined if it is not.
   * @returns The entry as it is now; undefined if it is gone or another gateway holds its lease.
   */
  function lease(
    scope: Scope,
    id: JobId,
    owner: string,
    now: number,
    until: number,
    asked: number | undefined,
  ): Promise<JournalEntry | undefined> {
    return change(sleep, async (): Promise<Attempt<JournalEntry | undefined>> => {
      const old = await kv.get<JournalEntry>(keys.journalEntry(scope, id));
      if (!old.value) return { done: undefined };
      const { owner: holder, leaseUntil } = old.value;
      if (isOthers({ owner: holder, until: leaseUntil }, owner, now)) return { done: undefined };
      const askedAt = asked ?? old.value.askedAt;
      const entry: JournalEntry = { ...old.value, owner, askedAt, leaseUntil: until };
      const step = kv.atomic().check(old).set(old.key, entry);
      return (await step.commit()).ok ? { done: entry } : "again";
    });
  }

  /**
   * Closes an entry with the job that came of it. A job that is recorded already stays as it is: two
   * gateways that were at one entry find the same batch, and it may have moved on since.
   *
   * Throws `unavailable` where another gateway has abandoned the entry of a job that has no batch yet,
   * with all that it had reserved. A batch that was made is recorded all the same.
   */
  function finish(scope: Scope, job: JobEntry): Promise<void> {
    const at = keys.job(scope, job.id);
    let known: Deno.KvEntryMaybe<JobEntry> = { key: at, value: null, versionstamp: null };
    return change(sleep, async (): Promise<Attempt<void>> => {
      const step = kv.atomic().check(known).delete(keys.journalEntry(scope, job.id));
      if (known.value === null && batchOf(job) === undefined) {
        const entry = await kv.get<JournalEntry>(keys.journalEntry(scope, job.id));
        if (entry.value === null) {
          known = await kv.get<JobEntry>(at);
          if (known.value === null) throw abandoned();
        }
        step.check(entry);
      }
      if (known.value === null) writeJob(step, scope, job, undefined, outbox);
      if ((await step.commit()).ok) {
        outbox?.committed();
        return { done: undefined };
      }
      // Hardly ever, so it is read only now.
      known = await kv.get<JobEntry>(at);
      return "again";
    });
  }

  /** Closes an entry that came to nothing: the token is free again, and so is the input. */
  function abandon(scope: Scope, entry: JournalEntry): Promise<void> {
    const { id } = entry.job;
    return change(sleep, async () => {
      const old = await kv.get<JournalEntry>(keys.journalEntry(scope, id));
      // Another gateway holds it by now, or has brought it to an end.
      if (old.value?.owner !== entry.owner) return { done: undefined };
      const step = kv.atomic().check(old).delete(old.key);
      const file = inputOf(entry.job);
      if (file !== undefined) step.delete(keys.use(scope.provider, file, id));
      if (entry.promise) {
        const at = keys.token(scope, entry.promise.token, entry.promise.digest);
        const now = await kv.get<JobId>(at);
        if (now.value === id) step.check(now).delete(at);
      }
      for await (const tag of kv.list({ prefix: keys.tags(scope, id) })) step.delete(tag.key);
      await releaseJob(kv, step, scope, id);
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /** Every create under way, of all tenants and providers. */
  async function* entries(): AsyncGenerator<OwnedEntry> {
    for await (const found of kv.list<JournalEntry>({ prefix: keys.journal() })) {
      const [, tenant, provider] = found.key as [string, string, string];
      yield { scope: { tenant, provider }, entry: found.value };
    }
  }

  /** The job that this token stands for with these parameters. */
  async function promised(
    scope: Scope,
    token: string,
    digest: string,
  ): Promise<JobId | undefined> {
    return (await kv.get<JobId>(keys.token(scope, token, digest))).value ?? undefined;
  }

  /**
   * Returns whether this job is the first that its token was promised to, whatever the parameters.
   * Of jobs that begin at once only one is: promises are never written again, so the catalog's own
   * versions give their order.
   */
  async function isFirst(scope: Scope, token: string, id: JobId): Promise<boolean> {
    let first: Deno.KvEntry<JobId> | undefined;
    for await (const entry of kv.list<JobId>({ prefix: keys.tokens(scope, token) })) {
      if (!first || entry.versionstamp < first.versionstamp) first = entry;
    }
    return first?.value === id;
  }
}

function abandoned(): Failure {
  return new Failure(
    "unavailable",
    "This create took so long that another gateway has given it up, and nothing of it was begun. " +
      "Send it again",
    { retryAfterSeconds: 1 },
  );
}

function deleted(): Failure {
  return new Failure(
    "invalid",
    "The job's input is being deleted. Put the file again, and create the job with it",
    { gone: true },
  );
}
