/**
 * Asking for a batch exactly once. A batch that is wanted is a claim; the claim travels in the
 * provider's own metadata, so that after a lost answer its batch is found, and is not asked for again.
 */
import { Failure } from "../codecs/failure.ts";
import type { JobId } from "../codecs/ids.ts";
import { allPages } from "../runtime/pages.ts";
import type { Account, Batch } from "../providers/provider.ts";
import { clockSkew } from "./adopt_batch.ts";
import type { JobTools } from "./deps.ts";

/** How often a provider is asked for a batch that may still appear, in milliseconds. */
const interval = 1_000;

/** A batch that is wanted once. */
export interface Claim {
  readonly jobId: JobId;
  /** Which batch of the job it is; absent where the job has one. */
  readonly shard?: number;
  /** When the claim was made: its batch is not older. In milliseconds since 1970. */
  readonly since: number;
  /**
   * Recognizes the claim's batch where batches bear no job id. `maybe`: that cannot be seen yet.
   */
  readonly recognize?: (batch: Batch) => Promise<boolean | "maybe">;
}

/** Outcome of asking: the batch, or why the provider made none. */
export type CreateOutcome = { readonly batch: Batch } | { readonly refused: unknown };

/**
 * Asks for the batch of a claim. Where the answer is lost, the batch is looked for.
 *
 * Throws where there may be a batch that was not found: it is to be looked for again before the
 * provider is asked again.
 */
export async function askFor(
  account: Account,
  claim: Claim,
  create: () => Promise<Batch>,
  signal: AbortSignal,
): Promise<CreateOutcome> {
  try {
    return { batch: await create() };
  } catch (error) {
    if (!mayHaveBeenMade(error)) return { refused: error };
    const batch = await findBatch(account, claim, signal);
    if (!batch) throw error;
    return { batch };
  }
}

/**
 * Looks for the batch of a claim that the provider was last asked for at `askedAt`, until it is found
 * or is certain not to have been made.
 *
 * It was asked before this call, so that a wait of the longest time of a create is enough: where dates
 * cannot be compared, as with a provider whose clock is slow, no more than that is waited.
 */
export async function findUntilCertain(
  { clock, longestCreateMilliseconds, sleep }: JobTools,
  account: Account,
  claim: Claim,
  askedAt: number,
  signal: AbortSignal,
): Promise<Batch | undefined> {
  const begun = clock.uptime();
  for (;;) {
    // Taken before the question: what its answer lacks was not there by then.
    const byDates = askedAt + longestCreateMilliseconds - clock.due();
    const byWaiting = begun + longestCreateMilliseconds - clock.uptime();
    const batch = await findBatch(account, claim, signal);
    if (batch) return batch;
    const left = Math.min(byDates, byWaiting);
    if (left <= 0) return undefined;
    await sleep(Math.min(interval, left));
  }
}

/**
 * Looks for the batch that bears a claim, once. Throws `unavailable` where it may be one of which
 * that cannot be seen yet.
 */
export async function findBatch(
  account: Account,
  claim: Claim,
  signal: AbortSignal,
): Promise<Batch | undefined> {
  const { batches } = account;
  let inDoubt: Batch | undefined;
  for await (const page of allPages((cursor) => batches.list(cursor, signal))) {
    for (const batch of page.items) {
      const is = await bears(batch, claim);
      if (is === true) return batch;
      if (is === "maybe") inDoubt ??= batch;
    }
    const old = batches.newestFirst && page.items.length > 0 &&
      page.items.every((batch) => batch.createdAt.getTime() < claim.since - clockSkew);
    if (old) break;
  }
  if (!inDoubt) return undefined;
  throw new Failure(
    "unavailable",
    `The answer to a create was lost, and batch ${inDoubt.id} may be the one that it made. That can ` +
      "be seen once the batch is over",
    { outcomeUnknown: true },
  );
}

/** Returns whether a batch may have been made; only a clear refusal leaves no doubt. */
function mayHaveBeenMade(error: unknown): boolean {
  return !(error instanceof Failure) || error.details.outcomeUnknown === true;
}

async function bears(
  batch: Batch,
  { jobId, shard, since, recognize }: Claim,
): Promise<boolean | "maybe"> {
  // It ran nothing, and another one is to be asked for.
  if (batch.isQueueFull) return false;
  if (!recognize) return batch.jobId === jobId && batch.shard === shard;
  return batch.createdAt.getTime() >= since - clockSkew && await recognize(batch);
}
