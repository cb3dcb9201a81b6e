/**
 * What jobs used, a row for each job that is over. A row's key holds the day and the job, so that a
 * step that is repeated, by this gateway or another one, writes the same row and counts nothing twice.
 */
import type { JobId } from "../codecs/ids.ts";
import { isTerminal } from "../codecs/job_status.ts";
import type { JobEntry } from "./entries.ts";
import { keys, maxBatch, type Scope } from "./keys.ts";
import { change, readAll } from "./kv.ts";
import type { Amounts } from "./limits.ts";
import { recordForwardedUse } from "./quotas.ts";
import type { ForwardedEntry, UsageEntry } from "./usage_entries.ts";

/** A row, with what its key says. */
export interface UsageRow {
  /** Of the job's end, UTC: `2026-11-30`. */
  readonly day: string;
  readonly tenant: string;
  readonly provider: string;
  readonly job: string;
  readonly entry: UsageEntry;
}

/** A job that was forwarded to a provider. */
export interface ForwardedJob {
  readonly provider: string;
  readonly arn: string;
  readonly entry: ForwardedEntry;
}

/** Which rows are wanted: days from the first to the last, both included. */
export interface UsageRange {
  readonly from: string;
  readonly to: string;
  /** Absent: every tenant's. */
  readonly tenant?: string;
}

/** The usage part of the catalog. */
export type UsageCatalog = ReturnType<typeof createUsageCatalog>;

/** Makes the usage part of the catalog. */
export function createUsageCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
) {
  return { rows, ofJobs, remember, forwarded, postpone, count };

  /**
   * Returns what each of these jobs used, in their order; undefined for one that is not recorded.
   */
  function ofJobs(jobs: readonly UsingJob[]): Promise<(UsageEntry | undefined)[]> {
    return readAll<UsageEntry>(
      kv,
      jobs.map(({ scope, job }) =>
        keys.usage(dayOf(job.endedAt ?? NaN, job.modifiedAt), scope, job.id)
      ),
    );
  }

  /**
   * Remembers a job that a provider has taken; a repeated create changes nothing.
   *
   * @returns Whether the reservation of this create is the job's.
   */
  function remember(provider: string, arn: string, entry: ForwardedEntry): Promise<boolean> {
    return change(sleep, async () => {
      const old = await kv.get<ForwardedEntry>(keys.forwarded(provider, arn));
      // Over KV Connect a step may be applied and still answer "not ok": this is our own.
      if (old.value) return { done: old.value.reservation === entry.reservation };
      return (await kv.atomic().check(old).set(old.key, entry).commit()).ok
        ? { done: true }
        : "again";
    });
  }

  /** The jobs that are remembered. */
  async function* forwarded(): AsyncGenerator<ForwardedJob> {
    const all = kv.list<ForwardedEntry>({ prefix: keys.allForwarded() }, { batchSize: maxBatch });
    for await (const { key, value } of all) {
      const [, provider, arn] = key as [string, string, string];
      yield { provider, arn, entry: value };
    }
  }

  /** Changes when a job is looked at next; one that is counted by now stays so. */
  function postpone(
    { provider, arn }: Pick<ForwardedJob, "provider" | "arn">,
    next: Pick<ForwardedEntry, "nextAt" | "tries">,
  ): Promise<void> {
    return change(sleep, async () => {
      const old = await kv.get<ForwardedEntry>(keys.forwarded(provider, arn));
      if (!old.value) return { done: undefined };
      const step = kv.atomic().check(old).set(old.key, { ...old.value, ...next });
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /** Writes the row of a job and forgets the job, in one step. */
  function count(
    { provider, arn }: Pick<ForwardedJob, "provider" | "arn">,
    { id, endedAt }: { readonly id: JobId; readonly endedAt: number },
    usage: UsageEntry,
    used: Partial<Pick<Amounts, "records" | "cost">> = {},
  ): Promise<void> {
    return change(sleep, async () => {
      const old = await kv.get<ForwardedEntry>(keys.forwarded(provider, arn));
      if (!old.value) return { done: undefined };
      const { tenant, createdAt, reservation } = old.value;
      const row = keys.usage(dayOf(endedAt, createdAt), { tenant, provider }, id);
      const step = kv.atomic().check(old).delete(old.key).set(row, usage);
      if (reservation !== undefined) {
        await recordForwardedUse(kv, step, { tenant, provider }, reservation, used);
      }
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /** The rows of some days, in the order of these. */
  async function* rows({ from, to, tenant }: UsageRange): AsyncGenerator<UsageRow> {
    const prefixes = tenant === undefined
      ? [{ start: keys.usageOfDay(from), end: keys.usageOfDay(dayAfter(to)) }]
      : daysBetween(from, to).map((day) => ({ prefix: keys.usageOfTenant(day, tenant) }));
    for (const range of prefixes) {
      for await (const { key, value } of kv.list<UsageEntry>(range, { batchSize: maxBatch })) {
        const [, day, tenant, provider, job] = key as [string, string, string, string, string];
        yield { day, tenant, provider, job, entry: value };
      }
    }
  }
}

/** A job, and whose it is. */
export interface UsingJob {
  readonly scope: Scope;
  readonly job: Pick<JobEntry, "id" | "endedAt" | "modifiedAt">;
}

/** Adds the row of a job that is over to a step; what was known of the job before is replaced. */
export function writeUsage(
  step: Deno.AtomicOperation,
  scope: Scope,
  job: JobEntry,
  entry: UsageEntry,
): void {
  if (!isTerminal(job.status)) return;
  step.set(keys.usage(dayOf(job.endedAt ?? NaN, job.modifiedAt), scope, job.id), entry);
}

/**
 * The day of a time, UTC.
 *
 * @param otherwise Taken where the first is not a time: some providers give none.
 */
export function dayOf(milliseconds: number, otherwise: number): string {
  const date = new Date(milliseconds);
  return (isNaN(date.getTime()) ? new Date(otherwise) : date).toISOString().slice(0, 10);
}

/** The day after a day. */
function dayAfter(day: string): string {
  return dayOf(Date.parse(day) + 86_400_000, 0);
}

function daysBetween(from: string, to: string): string[] {
  const days: string[] = [];
  for (let day = from; day <= to; day = dayAfter(day)) days.push(day);
  return days;
}
