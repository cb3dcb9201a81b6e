/**
 * Jobs that a forwarding provider runs. They are remembered at the create, and what they used is
 * counted from the manifest that the provider writes beside their results.
 */
import { costOf, priceOf } from "../accounts/prices.ts";
import { nothing } from "../accounts/tally.ts";
import { type Amounts, costUnits } from "../catalog/limits.ts";
import type { ForwardedJob } from "../catalog/usage.ts";
import type { RunUsage } from "../catalog/usage_entries.ts";
import { parseJobArn } from "../codecs/arn.ts";
import type { JobId } from "../codecs/ids.ts";
import { isTerminal, jobStatuses } from "../codecs/job_status.ts";
import { isObject, type JsonObject } from "../codecs/json_object.ts";
import { parseS3Uri } from "../codecs/s3_uri.ts";
import { encodeUri } from "../codecs/uri.ts";
import type { ForwardingProvider } from "../providers/provider.ts";
import { underLease } from "../runtime/lease.ts";
import { cancelUnread } from "../runtime/unread.ts";
import type { JobTools } from "./deps.ts";
import { folderOf } from "./results/keys.ts";

/** A create that a provider has answered. Members of the request are as the client sent them. */
export interface Forwarded {
  readonly provider: string;
  readonly arn: string;
  readonly tenant: string;
  /** Null for the anonymous. */
  readonly accessKeyId: string | null;
  readonly modelId: unknown;
  readonly output: unknown;
  readonly owner: unknown;
  /** What it has reserved of its access key's limits. */
  readonly reservation?: JobId | undefined;
}

/** A job that its provider says is over. */
interface Ended {
  readonly id: JobId;
  readonly endedAt: number;
  readonly job: JsonObject;
}

const leaseName = "usage of forwarded jobs";
/** Jobs that one sweep looks at. */
const mostLooks = 200;
/** How often a manifest is looked for; a job that ran nothing writes none. */
const mostTries = 8;
/** A job that is not over by then is given up: AWS ends each in 7 days, and waits for none so long. */
const oldest = 14 * 24 * 3_600_000;
/** The longest pause between two looks, in milliseconds; a young job is looked at sooner. */
const longestPause = 3_600_000;
/** A manifest is a few hundred bytes. */
const maxManifestBytes = 65_536;

/** Dependencies of counting forwarded jobs. */
export type ForwardedDeps =
  & Pick<
    JobTools,
    "clock" | "instance" | "leaseMilliseconds" | "providers" | "warn"
  >
  & Partial<Pick<JobTools, "openBucket" | "prices" | "sweepMilliseconds">>
  & { readonly catalog: Pick<JobTools["catalog"], "leases" | "usage" | "quotas"> };

/** Remembers forwarded jobs, and counts those that are over. */
export class ForwardedJobs {
  readonly #deps: ForwardedDeps;

  constructor(deps: ForwardedDeps) {
    this.#deps = deps;
  }

  /** Remembers a job; an answer without a job's ARN is passed over. */
  async remember(
    { provider, arn, tenant, accessKeyId, modelId, output, owner, reservation }: Forwarded,
  ): Promise<void> {
    if (!parseJobArn(arn)) return;
    const now = this.#deps.clock.earliest();
    const { usage, quotas } = this.#deps.catalog;
    const isNew = await usage.remember(provider, arn, {
      tenant,
      ...(accessKeyId !== null && { accessKeyId }),
      model: typeof modelId === "string" ? modelId : "unknown",
      output: typeof output === "string" ? output : "",
      ...(typeof owner === "string" && { owner }),
      createdAt: now,
      nextAt: now,
      tries: 0,
      ...(reservation !== undefined && { reservation }),
    });
    // The same create came before, and has reserved already.
    if (!isNew && reservation !== undefined) {
      await quotas.release({ tenant, provider }, reservation);
    }
  }

  /** Counts jobs that are over, by one gateway at a time. */
  async sweep(signal: AbortSignal): Promise<void> {
    const { catalog: { leases }, warn } = this.#deps;
    if ((await this.#due(1)).length === 0) return;
    const failed = (error: unknown) =>
      warn("The lease of counting forwarded jobs could not be prolonged or given back", { error });
    await underLease(leases.of(leaseName), { ...this.#deps, failed }, async (held) => {
      // Read under the lease: what another gateway has just looked at is not due any more.
      for (const one of await this.#due(mostLooks)) {
        if (signal.aborted || held.signal.aborted) return;
        await this.#look(one, signal);
      }
    });
  }

  async #due(most: number): Promise<ForwardedJob[]> {
    const { catalog: { usage }, clock } = this.#deps;
    const due: ForwardedJob[] = [];
    for await (const one of usage.forwarded()) {
      if (one.entry.nextAt <= clock.due()) due.push(one);
      if (due.length === most) break;
    }
    return due;
  }

  /** Looks at one job. What goes wrong with it keeps no other job waiting. */
  async #look(one: ForwardedJob, signal: AbortSignal): Promise<void> {
    const { clock, catalog: { usage }, providers, openBucket, warn } = this.#deps;
    const provider = providers.get(one.provider)?.forward;
    const { tries, createdAt } = one.entry;
    const isOld = clock.due() - createdAt > oldest;
    try {
      if (provider && openBucket) {
        const ended = await this.#ended(provider, one, signal);
        const manifest = ended && await this.#manifest(provider, one, ended.id, signal);
        if (ended && (manifest || tries + 1 >= mostTries || isOld)) {
          return await this.#count(one, ended, manifest);
        }
        if (ended) return await usage.postpone(one, { nextAt: this.#next(one), tries: tries + 1 });
      }
    } catch (error) {
      if (signal.aborted) return;
      warn("A forwarded job could not be looked at", { provider: one.provider, error });
    }
    if (isOld) return await this.#giveUp(one);
    await usage.postpone(one, { nextAt: this.#next(one), tries });
  }

  /** What the provider says of a job; undefined while it runs. */
  async #ended(
    provider: ForwardingProvider,
    { arn, entry: { createdAt } }: ForwardedJob,
    signal: AbortSignal,
  ): Promise<Ended | undefined> {
    const parsed = parseJobArn(arn);
    if (!parsed) return undefined;
    const response = await provider.forward({
      service: "bedrock",
      method: "GET",
      path: `/model-invocation-job/${encodeUri(arn, false)}`,
      query: "",
      headers: new Headers(),
      body: null,
      region: parsed.region,
    }, signal);
    if (!response.ok) {
      await cancelUnread(response.body);
      throw new Error(`The provider answered ${response.status} to a look at a job`);
    }
    const job: unknown = await response.json();
    if (!isObject(job)) return undefined;
    const status = jobStatuses.find((one) => one === job["status"]);
    if (!status || !isTerminal(status)) return undefined;
    const times = [job["endTime"], job["lastModifiedTime"]].map(timeOf);
    return { id: parsed.jobId, job, endedAt: times.find((time) => !isNaN(time)) ?? createdAt };
  }

  /** The manifest beside a job's results; undefined where there is none. */
  async #manifest(
    provider: ForwardingProvider,
    { entry: { output, owner } }: ForwardedJob,
    id: JobId,
    signal: AbortSignal,
  ): Promise<JsonObject | undefined> {
    const place = parseS3Uri(output);
    if (!place) return undefined;
    const bucket = this.#deps.openBucket?.({ provider, bucket: place.bucket, owner });
    const found = await bucket?.open(`${folderOf(place, id)}manifest.json.out`, undefined, signal);
    if (!found) return undefined;
    if (found.bytes > maxManifestBytes) {
      await cancelUnread(found.body);
      return undefined;
    }
    const manifest: unknown = await new Response(found.body).json();
    return isObject(manifest) ? manifest : undefined;
  }

  async #count(one: ForwardedJob, ended: Ended, manifest: JsonObject | undefined): Promise<void> {
    const { entry: { model, accessKeyId } } = one;
    const counts = manifest ?? ended.job;
    const cached = countAt(manifest, "cacheReadInputTokenCount");
    const run: RunUsage = {
      provider: one.provider,
      model,
      succeeded: countAt(counts, "successRecordCount"),
      failed: countAt(counts, "errorRecordCount"),
      // As in Converse's own usage, what came from a cache, or went to one, is beside the input.
      inputTokens: countAt(manifest, "inputTokenCount") + cached +
        countAt(manifest, "cacheWriteInputTokenCount"),
      cachedInputTokens: cached,
      outputTokens: countAt(manifest, "outputTokenCount"),
    };
    const price = priceOf(this.#deps.prices?.() ?? {}, [model]);
    await this.#deps.catalog.usage.count(one, ended, {
      ...(accessKeyId !== undefined && { accessKeyId }),
      model,
      runs: [price ? { ...run, price } : run],
    }, manifest ? amountsOf(run, costOf(run, price)) : amountsWithout(ended.job));
  }

  /** Counts a job of which nothing could be learned. */
  async #giveUp(one: ForwardedJob): Promise<void> {
    const { entry: { model, accessKeyId, createdAt }, provider, arn } = one;
    const id = parseJobArn(arn)?.jobId;
    if (id === undefined) return;
    this.#deps.warn("What a forwarded job used is not known: its end was not seen in two weeks", {
      provider,
      job: id,
    });
    await this.#deps.catalog.usage.count(one, { id, endedAt: createdAt }, {
      ...(accessKeyId !== undefined && { accessKeyId }),
      model,
      runs: [{ ...nothing, provider, model }],
    });
  }

  /** When to look again: the longer a job has run, the longer it may wait. */
  #next({ entry: { createdAt } }: ForwardedJob): number {
    const { clock, sweepMilliseconds = 0 } = this.#deps;
    const age = Math.max(0, clock.due() - createdAt);
    return clock.due() + Math.min(longestPause, Math.max(sweepMilliseconds, age / 20));
  }
}

/** What a job counts for in its key's quota; what is left out stays as it was reserved. */
type KnownAmounts = Partial<Pick<Amounts, "records" | "cost">>;

function amountsOf({ succeeded, failed }: RunUsage, dollars: number | undefined): KnownAmounts {
  const records = succeeded + failed;
  return dollars === undefined ? { records } : { records, cost: Math.ceil(dollars * costUnits) };
}

/**
 * Returns the amounts of a job without a manifest: nothing where it ran nothing. Its results may be
 * where the gateway may not read, and then only its records are known, or nothing.
 */
function amountsWithout(job: JsonObject): KnownAmounts {
  const processed = job["processedRecordCount"] ?? (job["status"] === "Failed" ? 0 : undefined);
  if (processed === 0) return { records: 0, cost: 0 };
  return Number.isSafeInteger(processed) ? { records: Number(processed) } : {};
}

function timeOf(value: unknown): number {
  return typeof value === "string" ? Date.parse(value) : NaN;
}

function countAt(object: JsonObject | undefined, name: string): number {
  const value = object?.[name];
  return Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : 0;
}
