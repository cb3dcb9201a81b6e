/** Planning a job: its input is found, and looked at where the plan depends on its records. */
import type { PinEntry } from "../catalog/pins.ts";
import type { BegunPlan } from "../catalog/plan.ts";
import { Failure } from "../codecs/failure.ts";
import { pickAccount } from "../reach/accounts.ts";
import type { Reach } from "../reach/reach.ts";
import type { JobTools } from "./deps.ts";
import { refuseForeign } from "./foreign.ts";
import { locate, type LocatedInput } from "./locate.ts";
import { checkReadable, isOverLimits } from "./over_limits.ts";
import {
  checkTags,
  fallbackOf,
  fallbackTag,
  type FallbackTarget,
  type Head,
  needsHead,
  planOf,
  readingTag,
} from "./plan.ts";
import { shardedPlan } from "./queued.ts";
import { openScratch } from "./sharded/scratch.ts";
import type { CreateRequest } from "./validate.ts";

/** How a job is to run. */
export interface PlannedJob {
  /** When its input was last written, in milliseconds since 1970. */
  readonly modifiedAt: number;
  readonly plan: BegunPlan;
  /** Whether the catalog names the plan's input: without a name it is gone. */
  readonly isNamed: boolean;
  /** What is to be held besides the plan's input. */
  readonly pins?: readonly PinEntry[];
  readonly located: LocatedInput;
}

/** Plans a job. Throws `invalid` where its input is not there or cannot be run at the provider. */
export async function planJob(
  deps: JobTools,
  reach: Reach,
  request: CreateRequest,
  signal: AbortSignal,
): Promise<PlannedJob> {
  const { tags, modelId } = request;
  const { provider } = reach;
  checkTags(tags);
  const located = await locate(deps, reach, request, signal);
  const { own, pins, modifiedAt, source, isNamed = false } = located;
  const isFile = own?.held.in === "provider";
  const isOver = own !== undefined && isFile && provider.target !== undefined &&
    await isOverLimits(deps, reach, own, provider.target.limits, signal);
  const mustRead = isOver ? "The job's input is over the limits of one batch" : readingTag(tags);
  if (own && mustRead !== undefined) checkReadable(reach, own, mustRead);
  const head = provider.target && (mustRead !== undefined || needsHead(isFile, tags))
    ? await looked(located, isFile, signal)
    : { kind: "file" } as const;
  const [account] = provider.accounts;
  const isInline = account?.batches.createInline !== undefined;
  const question = {
    provider: provider.name,
    target: provider.target,
    modelId,
    tags,
    mustRead,
    fallback: fallbackTarget(reach, tags),
  };
  const planned = planOf({ ...question, models: deps.models }, head, isInline);
  if (planned.kind === "direct") {
    if (own?.held.in === "provider") {
      const { file: input, account } = own.held;
      await refuseForeign(deps.catalog.recordIds, reach, input);
      const takesTurns = provider.target?.limits.running !== undefined ||
        deps.hasQueue({ provider: provider.name, account });
      const job = { tenant: reach.tenant, modelId, tags };
      const sharded = takesTurns && await shardedPlan(deps, provider, job, own, signal);
      if (sharded) return { modifiedAt, isNamed, located, plan: sharded };
      return { modifiedAt, isNamed, located, plan: { kind: "direct", input, account } };
    }
    throw new Failure(
      "invalid",
      "The job's input is of a form that only the provider itself can run, and is not stored " +
        `there. Put it with x-model-provider: ${provider.name}`,
    );
  }
  if (!deps.store) {
    throw new Failure("unsupported", "This gateway has no store for records that are translated");
  }
  // Later a full disk only delays; where there is none, the job would wait for ever.
  (await openScratch(deps.scratch)).close();
  const plan = {
    ...planned,
    account: pickAccount(provider, Math.random).name,
    source,
    ...(own && { input: own.file }),
  } as const;
  return { modifiedAt, isNamed, located, plan, ...(pins && { pins }) };
}

async function looked(located: LocatedInput, isFile: boolean, signal: AbortSignal): Promise<Head> {
  const head = await located.head(signal);
  return head.kind === "empty" ? head : { ...head, isFile };
}

/** Returns what a job falls back to. Throws `denied` where the caller may not use that provider. */
function fallbackTarget(reach: Reach, tags: CreateRequest["tags"]): FallbackTarget | undefined {
  const named = fallbackOf(tags);
  if (!named) return undefined;
  const other = named.provider === reach.provider.name ? reach : reach.at?.(named.provider);
  if (!other) {
    throw new Failure(
      "invalid",
      `The tag ${fallbackTag} must name a configured provider that runs translated jobs`,
    );
  }
  const account = pickAccount(other.provider, Math.random).name;
  return { ...named, account, target: other.provider.target };
}
