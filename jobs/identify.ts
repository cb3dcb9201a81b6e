/** Which job a text names: an ARN, its last 12 characters, or the provider's own batch id. */
import { nativeTenant, type Scope } from "../catalog/keys.ts";
import { parseJobArn } from "../codecs/arn.ts";
import { Failure } from "../codecs/failure.ts";
import type { BatchId, JobId } from "../codecs/ids.ts";
import { isJobId } from "../codecs/job_id.ts";
import { type Reach, scopeOf } from "../objects/reach.ts";
import type { Adoption } from "./adopt.ts";
import type { JobDeps, ScopedJob } from "./deps.ts";
import { isVisible } from "./visible.ts";

/** Makes the function that finds jobs. Throws `not-found` for what is no job of the caller's. */
export function createIdentify({ catalog, defaultRegion }: JobDeps, adoption: Adoption) {
  return identify;

  async function identify(
    reach: Reach,
    identifier: string,
    region: string | undefined,
    signal: AbortSignal,
  ): Promise<ScopedJob> {
    const id = parseJobArn(identifier)?.jobId ?? (isJobId(identifier) ? identifier : undefined);
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
    for (const account of reach.provider.accounts) {
      const batch = account.batches.parseId(identifier);
      if (batch === undefined) continue;
      const owner = await catalog.jobs.batch(reach.provider.name, batch);
      if (owner) {
        const scope = scopesOf(reach).find(({ tenant }) => tenant === owner.tenant);
        const job = scope && await catalog.jobs.get(scope, owner.id);
        return scope && job && { scope, job };
      }
      if (!reach.native) continue;
      const native = await ask(account, batch, signal);
      const adopted = native &&
        await adoption.adopt(reach.provider, account, native, region ?? defaultRegion);
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
    await adoption.walk(reach.provider, region ?? defaultRegion);
    return await byId(reach, id);
  }
}

async function ask(
  account: Reach["provider"]["accounts"][number],
  batch: BatchId,
  signal: AbortSignal,
) {
  try {
    return await account.batches.get(batch, signal);
  } catch (error) {
    if (error instanceof Failure && error.kind === "not-found") return undefined;
    throw error;
  }
}

/** Where a caller's jobs are: its own, and native ones if it may see them. */
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
