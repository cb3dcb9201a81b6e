/** Sums of usage, by what a question groups them by. */
import type { UsageCatalog, UsageRow } from "../catalog/usage.ts";
import type { RunUsage, UsageEntry } from "../catalog/usage_entries.ts";
import type { Breath } from "../runtime/breath.ts";
import { costOf } from "./prices.ts";
import { type Grouping, QueryError, type UsageQuery } from "./query.ts";

/** A row of an answer: the groups, and what was used in them. Money is in USD. */
export type UsageSum = Readonly<Partial<Record<Grouping, string | null>>> & Sums;

/** Where rows come from. */
export type UsageRows = Pick<UsageCatalog, "rows">;

interface Sums {
  readonly jobs: number;
  readonly records: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  /** Null where the price of a model in it is not known. */
  readonly cost: number | null;
}

/** An answer, and the models in it whose price was not known. */
export interface UsageAnswer {
  readonly rows: readonly UsageSum[];
  readonly unpriced: readonly string[];
}

/** An answer with more rows than this is refused: each is held in memory. */
const mostRows = 10_000;
/** Models that are named. */
const mostNamed = 20;

const none: Sums = {
  jobs: 0,
  records: 0,
  succeeded: 0,
  failed: 0,
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  cost: 0,
};

/**
 * Sums the rows that a question asks for. Throws {@linkcode QueryError} where it has too many groups.
 *
 * @param tenant Absent: every tenant's.
 */
export async function sumUsage(
  usage: UsageRows,
  { from, to, by }: UsageQuery,
  tenant: string | undefined,
  breath: Breath,
): Promise<UsageAnswer> {
  const sums = new Map<string, UsageSum>();
  const unpriced = new Set<string>();
  for await (const row of usage.rows({ from, to, ...(tenant !== undefined && { tenant }) })) {
    if (breath.isDue()) await breath.take();
    for (const part of partsOf(row)) {
      if (part.cost === null && unpriced.size < mostNamed) unpriced.add(part.at.model);
      const groups = by.map((name) => [name, part.at[name]] as const);
      const key = JSON.stringify(groups);
      sums.set(key, added(sums.get(key) ?? { ...Object.fromEntries(groups), ...none }, part));
    }
    if (sums.size > mostRows) {
      throw new QueryError(`There are more than ${mostRows} rows. Ask for fewer days or groups`);
    }
  }
  const rows = [...sums.entries()].sort(([one], [other]) => one < other ? -1 : 1)
    .map(([, sum]) => ({ ...sum, cost: sum.cost === null ? null : rounded(sum.cost) }));
  return { rows, unpriced: [...unpriced].sort() };
}

/** A part of a row: what was used at one provider with one model. */
interface RowPart extends Sums {
  readonly at: PartIndex;
}

interface PartIndex {
  readonly tenant: string;
  readonly key: string | null;
  readonly provider: string;
  readonly model: string;
  readonly day: string;
}

/** Returns what a job cost, in USD; null where the price of a model in it was not known. */
export function costOfJob({ runs }: UsageEntry): number | null {
  const costs = runs.map((run) => costOf(run, run.price) ?? null);
  const sum = costs.reduce((all, one) => all === null || one === null ? null : all + one, 0);
  return sum === null ? null : rounded(sum);
}

/** The parts of a row: each run where it ran, and the job once, at its own provider and model. */
function partsOf({ day, tenant, provider, entry }: UsageRow): RowPart[] {
  const { accessKeyId: key = null, model, runs } = entry;
  const isOwn = (run: RunUsage) => run.provider === provider && run.model === model;
  const job = runs.find(isOwn) ?? runs.find((run) => run.provider === provider);
  const parts = runs.map((run): RowPart => ({
    at: { tenant, key, provider: run.provider, model: run.model, day },
    jobs: run === job ? 1 : 0,
    records: run.succeeded + run.failed,
    succeeded: run.succeeded,
    failed: run.failed,
    inputTokens: run.inputTokens,
    cachedInputTokens: run.cachedInputTokens,
    outputTokens: run.outputTokens,
    cost: costOf(run, run.price) ?? null,
  }));
  if (!job) parts.unshift({ ...none, at: { tenant, key, provider, model, day }, jobs: 1 });
  return parts;
}

function added(sum: UsageSum, part: Sums): UsageSum {
  return {
    ...sum,
    jobs: sum.jobs + part.jobs,
    records: sum.records + part.records,
    succeeded: sum.succeeded + part.succeeded,
    failed: sum.failed + part.failed,
    inputTokens: sum.inputTokens + part.inputTokens,
    cachedInputTokens: sum.cachedInputTokens + part.cachedInputTokens,
    outputTokens: sum.outputTokens + part.outputTokens,
    cost: sum.cost === null || part.cost === null ? null : sum.cost + part.cost,
  };
}

/** Without what adding binary fractions leaves: a token costs more than this. */
function rounded(dollars: number): number {
  return Number(dollars.toFixed(12));
}
