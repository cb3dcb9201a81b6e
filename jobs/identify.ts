/** Which job a text names: an ARN, its last 12 characters, or the provider's own batch id. */
import type { JobEntry } from "../catalog/entries.ts";
import { nativeTenant, type Scope } from "../catalog/keys.ts";
import { parseJobArn } from "../codecs/arn.ts";
import { Failure } from "../codecs/failure.ts";
import { type BatchId, batchId, isProviderId, type JobId } from "../codecs/ids.ts";
import { isJobId } from "../codecs/job_id.ts";
import { askAccounts } from "../reach/accounts.ts";
import { type Reach, scopeOf } from "../reach/reach.ts";
import type { Adoption } from "./adopt.ts";
import type { JobDeps, ScopedJob } from "./deps.ts";
import { isVisible } from "./visible.ts";

/**
 * Makes what finds jobs: `identify` also asks the provider and throws `not-found` for what is not a
 * job of the caller's; `known` asks the catalog only.
 */
export function createIdentify({ catalog, defaultRegion }: JobDeps, adoption: Adoption) {
  return { identify, known };

  async function known(reach: Reach, identifier: string): Promise<JobEntry | undefined> {
    const id = idOf(identifier);
    const found = id && await byId(reach, id);
    return found && isVisible(reach, found.job) ? found.job : undefined;
  }

  async function identify(
    reach: Reach,
    identifier: string,
    region: string | undefined,
    signal: AbortSignal,
  ): Promise<ScopedJob> {
    const id = idOf(identifier);
    const known = id === undefined ? undefined : await byId(reach, id);
    const found = known ?? await byBatch(reach, identifier, region, signal) ??
      await lost(reach, id, region);
    return found && isVisible(reach, found.job) ? found : unknown(reach, identifier);
  }

  async function byId(reach: Reach, id: JobId): Promise<ScopedJob | undefined> {
    for (const scope of scopesOf(reach)) {
      const job = await catalog.jobs.get(scope, id);
      if (job) return { scope, job };
    }
    return undefined;
  }

  async function byBatch(
    reach: Reach,
    identifier: string,
    region: string | undefined,
    signal: AbortSignal,
  ): Promise<ScopedJob | undefined> {
    const spelled = reach.provider.accounts.map(({ batches }) => batches.parseId(identifier));
    // Whatever the catalog knows as a batch's id is one, also where it does not look like one.
    const known = isProviderId(identifier) ? [batchId(identifier)] : [];
    for (const batch of new Set([...spelled, ...known])) {
      const owner = batch && await catalog.jobs.batch(reach.provider.name, batch);
      if (!owner) continue;
      const scope = scopesOf(reach).find(({ tenant }) => tenant === owner.tenant);
      const job = scope && await catalog.jobs.get(scope, owner.id);
      return scope && job && { scope, job };
    }
    if (!reach.native || spelled.every((batch) => batch === undefined)) return undefined;
    const answers = askAccounts(reach.provider, async (account) => {
      const batch = account.batches.parseId(identifier);
      const native = batch && await ask(account, batch, signal);
      return native && { account, native };
    });
    for await (const found of answers) {
      const adopted = found && await adoption.adopt(
        reach.provider,
        found.account,
        found.native,
        region ?? defaultRegion,
      );
      if (adopted) return adopted;
    }
    return undefined;
  }

  /** A job whose record was lost with its catalog: the provider's batches still bear its id. */
  async function lost(
    reach: Reach,
    id: JobId | undefined,
    region: string | undefined,
  ): Promise<ScopedJob | undefined> {
    if (id === undefined || !reach.native) return undefined;
    await adoption.scan(reach.provider, region ?? defaultRegion, "whole");
    return await byId(reach, id);
  }
}

function idOf(identifier: string): JobId | undefined {
  return parseJobArn(identifier)?.jobId ?? (isJobId(identifier) ? identifier : undefined);
}

async function ask(
  account: Reach["provider"]["accounts"][number],
  batch: BatchId,
  signal: AbortSignal,
) {
  try {
    return await account.batches.get(batch, signal);
  } catch (error) {
    // Services that check the form of ids refuse another text as invalid.
    const kind = error instanceof Failure ? error.kind : undefined;
    if (kind === "not-found" || kind === "invalid") return undefined;
    throw error;
  }
}

/** Returns where a caller's jobs are: its own, and native ones if it may see them. */
export function scopesOf(reach: Reach): readonly Scope[] {
  const own = scopeOf(reach);
  return reach.native ? [own, { ...own, tenant: nativeTenant }] : [own];
}

function unknown(reach: Reach, identifier: string): never {
  throw new Failure(
    "not-found",
    `${reach.provider.name} has no job ${
      identifier.slice(0, 200)
    }. Name a job by its ARN, by the ` +
      "ARN's last 12 characters, or by the provider's batch id; x-model-provider says at which provider",
  );
}
