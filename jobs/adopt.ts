/** Batches that were made by other means, as jobs; and news of running jobs from the same lists. */
import { nativeTenant, type Scope } from "../catalog/keys.ts";
import type { BatchRecord, JobDescription, JobRecord } from "../catalog/records.ts";
import { adoptedJobId, timeOfJobId } from "../codecs/job_id.ts";
import type { Account, Batch, StoringProvider } from "../providers/provider.ts";
import type { JobTools, ScopedJob } from "./deps.ts";
import type { Poll } from "./poll.ts";
import { accepted } from "./state.ts";

/** The role that jobs show which have none. */
const nativeRole = "arn:aws:iam::000000000000:role/batchway-native";

/** How long a list waits for the results of each job that has ended, in milliseconds. */
const listPatience = 500;

/** Adopting batches. */
export type Adoption = ReturnType<typeof createAdoption>;

/** Makes what adopts batches. */
export function createAdoption(deps: JobTools, poll: Poll) {
  const { jobs, journal } = deps.catalog;
  const walking = new Map<string, Promise<void>>();
  const walkedAt = new Map<string, number>();

  return { walk, adopt };

  /**
   * Looks through a provider's batches; where they come newest first, until a page holds none that
   * is new. What was made by other means is adopted, and jobs that are running are brought up to
   * date.
   */
  function walk(provider: StoringProvider, region: string): Promise<void> {
    const { name } = provider;
    const last = walkedAt.get(name);
    if (last !== undefined && deps.now() - last < deps.pollMilliseconds) return Promise.resolve();
    const running = walking.get(name);
    if (running) return running;
    const walk = walkAccounts(provider, region).finally(() => walking.delete(name));
    walking.set(name, walk);
    return walk;
  }

  async function walkAccounts(provider: StoringProvider, region: string): Promise<void> {
    for (const account of provider.accounts) await walkAccount(provider, account, region);
    walkedAt.set(provider.name, deps.now());
  }

  async function walkAccount(
    provider: StoringProvider,
    account: Account,
    region: string,
  ): Promise<void> {
    const { newestFirst } = account.batches;
    const before = await jobs.walked(provider.name, account.name);
    let walked = before;
    let cursor: string | undefined;
    do {
      const page = await account.batches.list(cursor, deps.closing);
      const news = await takeIn(provider, account, page.items, region);
      cursor = before && !news ? undefined : page.cursor;
      if (cursor !== undefined && walked) {
        // If this walk is cut short, the next finds nothing new on the first page and yet must not
        // end there.
        await jobs.setWalked(provider.name, account.name, false);
        walked = false;
      }
    } while (cursor !== undefined);
    if (newestFirst && !walked) await jobs.setWalked(provider.name, account.name, true);
  }

  /** Takes a page of batches in; true if any was new. */
  async function takeIn(
    provider: StoringProvider,
    account: Account,
    batches: readonly Batch[],
    region: string,
  ): Promise<boolean> {
    const known = await jobs.batches(provider.name, batches.map((batch) => batch.id));
    let news = false;
    for (const [at, batch] of batches.entries()) {
      const owner = known[at];
      if (owner) {
        if (!owner.over) await update(provider, owner, batch);
      } else if (await adopt(provider, account, batch, region)) news = true;
    }
    return news;
  }

  async function update(
    provider: StoringProvider,
    owner: BatchRecord,
    batch: Batch,
  ): Promise<void> {
    const scope = { tenant: owner.tenant, provider: provider.name };
    const job = await jobs.get(scope, owner.id);
    if (job) await poll.apply(provider, { scope, job }, batch, listPatience);
  }

  /**
   * Makes a job of a batch that the catalog does not know.
   *
   * @returns The job; undefined for a batch whose create is still under way here.
   */
  async function adopt(
    provider: StoringProvider,
    account: Account,
    batch: Batch,
    region: string,
  ): Promise<ScopedJob | undefined> {
    const scope: Scope = { tenant: nativeTenant, provider: provider.name };
    if (batch.jobId !== undefined && await isUnderWay(provider.name, batch)) return undefined;
    for (let attempt = 0;; attempt++) {
      const job = adopted(provider.name, account.name, batch, region, attempt, deps.now());
      if (await jobs.adopt(scope, job, batch.tags)) return { scope, job };
      const owner = await jobs.batch(provider.name, batch.id);
      if (!owner) continue; // The id is another batch's: the next attempt has another id.
      const theirs = { tenant: owner.tenant, provider: provider.name };
      const found = await jobs.get(theirs, owner.id);
      return found && { scope: theirs, job: found };
    }
  }

  async function isUnderWay(provider: string, batch: Batch): Promise<boolean> {
    for await (const { scope, entry } of journal.entries()) {
      if (scope.provider === provider && entry.job.id === batch.jobId) return true;
    }
    return false;
  }
}

function adopted(
  provider: string,
  account: string,
  batch: Batch,
  region: string,
  attempt: number,
  now: number,
): JobRecord {
  // A job whose record was lost has its old id back, which tells when it was submitted.
  const lost = attempt === 0 ? batch.jobId : undefined;
  const submittedAt = lost === undefined ? batch.createdAt.getTime() : timeOfJobId(lost);
  const description: JobDescription = {
    id: lost ?? adoptedJobId(submittedAt, batch.id, attempt),
    region,
    account,
    name: batch.name ?? batch.id,
    modelId: batch.modelId ?? "unknown",
    roleArn: nativeRole,
    inputDataConfig: {
      s3InputDataConfig: { s3Uri: `s3://${provider}/${batch.input ?? batch.id}` },
    },
    outputDataConfig: { s3OutputDataConfig: { s3Uri: `s3://${provider}/` } },
    native: true,
    submittedAt,
    ...(batch.input !== undefined && { file: batch.input }),
  };
  return { ...description, ...accepted(batch, now) };
}
