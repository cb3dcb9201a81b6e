/** Brings running jobs forward that no client asks for. */
import type { OwnedJob } from "../catalog/jobs.ts";
import type { Scope } from "../catalog/keys.ts";
import { accountOfJob } from "../catalog/plans.ts";
import type { JobId } from "../codecs/ids.ts";
import { underLease } from "../runtime/lease.ts";
import type { StoringProvider } from "../providers/provider.ts";
import type { JobTools } from "./deps.ts";
import type { Poll } from "./poll.ts";

const leaseName = "sweep of jobs";
/** Questions to one account at a time. */
const perAccount = 4;

/** The running jobs of one account. */
interface AccountJobs {
  readonly provider: StoringProvider;
  readonly jobs: { readonly scope: Scope; readonly id: JobId }[];
}

/**
 * Asks for every running job, once for all gateways of the catalog: one holds a lease while it is at
 * it, and the others do not begin it until half the pause between two sweeps has passed. Accounts
 * are asked side by side, each a few questions at a time, so that a slow one keeps no other waiting.
 *
 * Jobs come in a new order each time: if sweeps are always cut short, none is left out for ever.
 */
export async function sweepJobs(deps: JobTools, poll: Poll, signal: AbortSignal): Promise<void> {
  const startedAt = deps.clock.earliest();
  const tools = {
    ...deps,
    doneSince: startedAt - (deps.sweepMilliseconds ?? 0) / 2 + 1,
    failed: (error: unknown) =>
      deps.warn("The lease of a sweep could not be prolonged or given back", { error }),
  };
  await underLease(deps.catalog.leases.of(leaseName), tools, async (held) => {
    const either = AbortSignal.any([signal, held.signal]);
    const accounts = await runningByAccount(deps, either);
    await Promise.all(accounts.map((account) => sweepAccount(deps, poll, account, either)));
    if (!either.aborted) held.done(startedAt);
  });
}

async function runningByAccount(deps: JobTools, signal: AbortSignal): Promise<AccountJobs[]> {
  const found = new Map<string, AccountJobs>();
  for await (const { scope, job } of deps.catalog.jobs.running()) {
    if (signal.aborted) break;
    const provider = deps.providers.get(scope.provider)?.stores;
    if (!provider) continue;
    const name = JSON.stringify([scope.provider, accountOfJob(job) ?? null]);
    const account = found.get(name) ?? { provider, jobs: [] };
    found.set(name, account);
    account.jobs.push({ scope, id: job.id });
  }
  for (const { jobs } of found.values()) shuffle(jobs);
  return [...found.values()];
}

/**
 * Asks for the jobs of one account. The first is asked for by itself; an account that refuses to answer
 * is passed over until the next sweep, for each of its jobs would wait as long again.
 */
async function sweepAccount(
  deps: JobTools,
  poll: Poll,
  { provider, jobs }: AccountJobs,
  signal: AbortSignal,
): Promise<void> {
  const queue = jobs.values();
  let isSilent = false;
  const next = async (): Promise<boolean> => {
    const { value } = queue.next();
    if (!value || isSilent || signal.aborted) return false;
    // Read only now: it may have been brought forward, or ended, in the meantime.
    const job = await deps.catalog.jobs.get(value.scope, value.id);
    if (job && !await refreshOne({ scope: value.scope, job })) isSilent = true;
    return true;
  };
  const refreshOne = async (owned: OwnedJob): Promise<boolean> => {
    try {
      await poll.refresh(provider, owned);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      deps.warn("A running job's provider could not be asked", {
        job: owned.job.id,
        provider: provider.name,
        error,
      });
      return false;
    }
  };
  const line = async () => {
    while (await next());
  };
  if (await next()) await Promise.all(Array.from({ length: perAccount }, line));
}

/** Puts them into an order of chance. */
function shuffle(items: unknown[]): void {
  for (let at = items.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [items[at], items[other]] = [items[other], items[at]];
  }
}
