/**
 * What a job reserves of its access key's limits when it is created. Its records are counted where
 * that is cheap, and else estimated: a sharded job is held to what it has when its input is read,
 * before anything is sent.
 */
import { priceOf } from "../accounts/prices.ts";
import type { BegunJob, JobEntry } from "../catalog/entries.ts";
import type { Scope } from "../catalog/keys.ts";
import { type Amounts, costUnits, monthOf } from "../catalog/limits.ts";
import type { ShardedPlan } from "../catalog/plan.ts";
import type { ReservationEntry } from "../catalog/quotas.ts";
import type { Price } from "../catalog/usage_entries.ts";
import { Failure } from "../codecs/failure.ts";
import type { Reach } from "../reach/reach.ts";
import { modelNamedIn } from "../dialects/envelopes.ts";
import { parseJson } from "../dialects/json.ts";
import { isOtherModel, requestedModel } from "./requested_model.ts";
import type { JobTools } from "./deps.ts";
import type { LocatedInput, SeenHead } from "./locate.ts";
import { canBeRead, countRecords } from "./over_limits.ts";
import type { PlannedJob } from "./plan_job.ts";

/** Bytes of a record by which an input is estimated that is read later. */
const usualRecordBytes = 1_000;
/** The shortest record has more bytes than this. */
const leastRecordBytes = 20;
/** Bytes of text that make a token, as a rule of thumb for English and JSON. */
const bytesPerToken = 4;
/** Output tokens of a record that sets no limit. */
export const usualOutputTokens = 4_096;

/** The demand of a job on limits of records and cost. */
export type Demand = Pick<Amounts, "records" | "cost">;

/**
 * Returns what a create reserves; undefined where its access key has no limits. Throws `invalid` where
 * the key has a limit of cost and there is no price.
 */
export async function reservationOf(
  deps: JobTools,
  reach: Reach,
  { plan, located }: Pick<PlannedJob, "plan" | "located">,
  job: BegunJob,
  signal: AbortSignal,
): Promise<ReservationEntry | undefined> {
  const { accessKeyId, limits } = reach;
  if (accessKeyId === undefined || !limits) return undefined;
  const head = limits.maxCost === undefined ? undefined : await headOf(located, signal);
  const named = modelNamedBy(head);
  const price = head && priceOfTries(deps, targetsOf(deps, reach.provider.name, job, named));
  if (price && "unpriced" in price) throw unpriced(price.unpriced);
  const isDryRun = plan.kind === "sharded" && plan.isDryRun === true;
  const records = isDryRun ? 0 : await recordsOf(deps, reach, { plan, located }, signal);
  const cost = !price || isDryRun ? 0 : costOf(
    price,
    located.bytes ?? records * usualRecordBytes,
    records * outputTokensOfHead(head),
  );
  const amounts = { jobs: 1, records, bytes: 0, cost };
  return { accessKeyId, month: monthOf(job.submittedAt), amounts, limits };
}

/** A model of a provider, with the other names that it may have in the table of prices. */
export interface Target {
  readonly provider: string;
  readonly names: readonly [string, ...string[]];
}

/** A model that a job may run, and how often it may run a record. */
interface Tries extends Target {
  readonly times: number;
}

/**
 * The models that a job may run.
 *
 * @param named The model that a record names itself; it runs there where its line is sent as it is.
 */
function targetsOf(
  deps: Pick<JobTools, "models" | "providers">,
  provider: string,
  job: Pick<BegunJob, "modelId" | "plan">,
  named?: string,
): readonly Tries[] {
  const { modelId, plan } = job;
  if (plan.kind !== "sharded") {
    const stores = deps.providers.get(provider)?.stores;
    const own = stores ? requestedModel(deps, stores, modelId) : modelId;
    return [{ provider, names: namesOf([own, modelId], named), times: 1 }];
  }
  const { target, fallback, retries, from, to } = plan;
  const names = namesOf([target.modelId, modelId], from === to ? named : undefined);
  const own: Tries = { provider, names, times: 1 + retries };
  if (!fallback) return [own];
  return [own, { provider: fallback.provider, names: [fallback.modelId], times: 1 }];
}

/** The names of a job's own model, or of the other one that a record names. */
function namesOf(own: Target["names"], named: string | undefined): Target["names"] {
  return named !== undefined && isOtherModel(own[0], named) ? [named] : own;
}

/** The price of tokens of a record that runs as often as it may; or the model that has none. */
function priceOfTries(
  { prices }: Pick<JobTools, "prices">,
  targets: readonly Tries[],
): Pick<Price, "input" | "output"> | { readonly unpriced: Target } {
  let [input, output] = [0, 0];
  for (const target of targets) {
    const price = priceOf(prices?.() ?? {}, target.names);
    if (!price) return { unpriced: target };
    input += target.times * price.input;
    output += target.times * price.output;
  }
  return { input, output };
}

/** Says that a model has no price. */
export function unpriced({ provider, names: [model] }: Target): Failure {
  return new Failure(
    "invalid",
    `The access key has a limit of cost (--max-cost), and there is no price of ${
      model.slice(0, 100)
    } at ${provider}. Name it under "prices" in the gateway's configuration`,
  );
}

/** Returns the estimated cost of records in billionths of a USD, rounded up. */
export function costOf(
  { input, output }: Pick<Price, "input" | "output">,
  bytes: number,
  outputTokens: number,
): number {
  const dollars = (bytes / bytesPerToken * input + outputTokens * output) / 1e6;
  return Math.ceil(dollars * costUnits);
}

const limitOfOutput = new RegExp(
  '"(?:max_tokens|max_completion_tokens|max_output_tokens|max_new_tokens|max_gen_len|maxTokens|' +
    'maxOutputTokens|max_tokens_to_sample|maxTokenCount)"\\s*:\\s*([0-9]+)',
  "g",
);

const answersOf = /"(?:n|candidateCount)"\s*:\s*([0-9]+)/g;

/**
 * Returns the output tokens that the text of a record allows itself, or the usual ones, for all the
 * answers that it asks for. A quote inside of a string is escaped, so that no prompt is taken for it.
 */
export function outputTokensOf(text: string): number {
  return (mostOf(text, limitOfOutput) || usualOutputTokens) * (mostOf(text, answersOf) || 1);
}

function mostOf(text: string, form: RegExp): number {
  let most = 0;
  for (const [, digits] of text.matchAll(form)) most = Math.max(most, Number(digits));
  return most;
}

/** The first record of an input; `unseen` where its provider does not give it back. */
async function headOf(located: LocatedInput, signal: AbortSignal): Promise<SeenHead | "unseen"> {
  try {
    return await located.head(signal);
  } catch (error) {
    // Not every provider gives its files back.
    if (error instanceof Failure && error.kind === "unsupported") return "unseen";
    throw error;
  }
}

function outputTokensOfHead(head: SeenHead | "unseen" | undefined): number {
  if (head === undefined || head === "unseen") return usualOutputTokens;
  if (head.kind === "empty") return 0;
  return typeof head.line === "string" ? usualOutputTokens : outputTokensOf(head.line.raw);
}

/** The model that a record names itself, as those of OpenAI and Anthropic do. */
function modelNamedBy(head: SeenHead | "unseen" | undefined): string | undefined {
  if (head === undefined || head === "unseen" || head.kind === "empty") return undefined;
  const { line } = head;
  return typeof line === "string" ? undefined : modelNamedIn(line);
}

async function recordsOf(
  { objects }: Pick<JobTools, "objects">,
  reach: Reach,
  { plan, located }: Pick<PlannedJob, "plan" | "located">,
  signal: AbortSignal,
): Promise<number> {
  const { own, bytes = 0, records } = located;
  if (records !== undefined) return records;
  const most = reach.limits?.maxRecords;
  const isReadLater = plan.kind === "sharded" || most === undefined;
  if (isReadLater || !own) return Math.max(1, Math.ceil(bytes / usualRecordBytes));
  if (!canBeRead(reach, own)) return Math.max(1, Math.ceil(bytes / leastRecordBytes));
  // One more than there is room for shows that there is none.
  const body = await objects.read(reach, { record: own }, undefined, signal);
  return await countRecords(body, most + 1);
}

/** Sums of the records of a sharded job as they are read, where its access key has limits. */
export interface ReadDemand {
  /** Counts a line that is sent. */
  add(text: string): void;
  /** Reserves what was read; returns why there is no room for it. */
  reserve(records: number): Promise<string | undefined>;
}

/** Sums what a sharded job uses of its access key's limits; undefined where it has none. */
export async function demandOf(
  deps: JobTools,
  { scope, job, plan }: { scope: Scope; job: JobEntry; plan: ShardedPlan },
): Promise<ReadDemand | undefined> {
  const { quotas } = deps.catalog;
  const limits = await quotas.limitsOf(scope, job.id);
  if (!limits || plan.isDryRun) return undefined;
  let [cost, isPriced] = [0, limits.maxCost !== undefined];
  let missing: Target | undefined;
  const own = { modelId: job.modelId, plan };
  const priceAt = (named: string | undefined) =>
    priceOfTries(deps, targetsOf(deps, scope.provider, own, named));
  return {
    add(text) {
      if (!isPriced) return;
      const named = plan.from === plan.to ? modelNamedIn(parseJson(text)) : undefined;
      const price = priceAt(named);
      if (!("unpriced" in price)) {
        cost += costOf(price, text.length, outputTokensOf(text));
        return;
      }
      isPriced = false;
      if (named !== undefined && price.unpriced.names[0] === named) missing = price.unpriced;
    },
    async reserve(records) {
      if (missing) return unpriced(missing).message;
      // A price that is gone from the configuration since the create leaves what was reserved then.
      return await quotas.correct(scope, job.id, { records, ...(isPriced && { cost }) });
    },
  };
}
