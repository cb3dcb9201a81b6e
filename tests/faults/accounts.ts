/** Usage, quotas and events at the end of a run, against what simulators ran and clients know. */
import { createCatalog } from "../../catalog/catalog.ts";
import { openKv } from "../../catalog/kv.ts";
import { type Amounts, costUnits, limitNames, monthOf } from "../../catalog/limits.ts";
import { isTerminal, type JobStatus } from "../../codecs/job_status.ts";
import type { EventBody } from "../../events/body.ts";
import { all, sleep } from "../catalog/memory.ts";
import { createClient, type JobJson } from "../jobs/wire.ts";
import type { PaidJob } from "./paid_jobs.ts";
import type { Spending } from "./spending.ts";
import { adminHeaders, type TenantKey } from "./tenants.ts";

/** USD per million tokens of every model of the run. */
export const price = { input: 1, output: 4 };

/** What a group of jobs used. */
interface Sum {
  jobs: number;
  succeeded: number;
  inputTokens: number;
  outputTokens: number;
  /** USD. */
  cost: number;
}

const namesOf = (key: TenantKey, provider: string, model: string) =>
  [key.tenant, key.accessKeyId, provider, model].join(" ");

const costOf = ({ inputTokens, outputTokens }: Pick<Sum, "inputTokens" | "outputTokens">) =>
  (inputTokens * price.input + outputTokens * price.output) / 1e6;

/** Jobs that two batches run where one should, and batches of no job; a sentence each. */
export function checkBatches(jobs: readonly PaidJob[], spent: readonly Spending[]): string[] {
  const known = new Set(jobs.map(({ id }) => id));
  const seen = new Map<string, string>();
  return spent.flatMap(({ job, shard, provider, createdAt }) => {
    const name = `${job}/${shard}`;
    const other = seen.get(name);
    seen.set(name, createdAt);
    if (other !== undefined) return [`two batches run ${name}, of ${other} and ${createdAt}`];
    return known.has(job) ? [] : [`${provider} runs a batch of ${name}, which no client has`];
  });
}

/** What is wrong with `/usage`, to the token. */
export async function checkUsage(
  url: string,
  jobs: readonly PaidJob[],
  spent: readonly Spending[],
): Promise<string[]> {
  const expected = new Map<string, Sum>();
  const at = (name: string): Sum => {
    const sum = expected.get(name) ??
      { jobs: 0, succeeded: 0, inputTokens: 0, outputTokens: 0, cost: 0 };
    expected.set(name, sum);
    return sum;
  };
  const byId = new Map(jobs.map((job) => [job.id, job]));
  for (const { key, provider, model } of jobs) at(namesOf(key, provider, model)).jobs++;
  for (const { job, provider, model, answers, inputTokens, outputTokens } of spent) {
    const key = byId.get(job)?.key;
    if (!key) continue;
    const sum = at(namesOf(key, provider, model));
    sum.succeeded += answers;
    sum.inputTokens += inputTokens;
    sum.outputTokens += outputTokens;
    sum.cost = costOf(sum);
  }
  const days = [-1, 1].map((n) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10));
  const query = `?by=tenant,key,provider,model&from=${days[0]}&to=${days[1]}`;
  const answer = await fetch(`${url}/usage${query}`, { headers: adminHeaders });
  const text = await answer.text();
  if (!answer.ok) return [`/usage: ${answer.status} ${text}`];
  const told = new Map<string, Sum>();
  for (const row of JSON.parse(text).rows) {
    const { tenant, key, provider, model, jobs, succeeded, inputTokens, outputTokens, cost } = row;
    const sum = { jobs, succeeded, inputTokens, outputTokens, cost };
    // A fallback that no record came to, or a record that failed, is a row without a token.
    if (jobs > 0 || inputTokens + outputTokens > 0) {
      told.set([tenant, key, provider, model].join(" "), sum);
    }
  }
  return [...new Set([...expected.keys(), ...told.keys()])].flatMap((name) => {
    const [mine, theirs] = [expected, told].map((sums) => textOf(sums.get(name)));
    const isNothing = mine === textOf({ ...none }) && theirs === undefined;
    return mine === theirs || isNothing
      ? []
      : [`usage of ${name} is ${theirs}, and the simulators have ${mine}`];
  });
}

const none: Sum = { jobs: 0, succeeded: 0, inputTokens: 0, outputTokens: 0, cost: 0 };

const textOf = (sum: Sum | undefined) =>
  sum && JSON.stringify([
    sum.jobs,
    sum.succeeded,
    sum.inputTokens,
    sum.outputTokens,
    Math.round(sum.cost * costUnits),
  ]);

/** A job as clients see it, and whose it is. */
export type SeenJob = PaidJob & { readonly seen: JobJson };

/** Every job as its own client sees it. */
export function seeJobs(url: string, jobs: readonly PaidJob[]): Promise<SeenJob[]> {
  return Promise.all(jobs.map(async (job) => ({
    ...job,
    seen: await createClient(url, job.provider, job.key.fetcher).get(job.arn),
  })));
}

const countOf = (value: unknown) => typeof value === "number" ? value : undefined;

/** What is wrong with what keys have used at the end: it is what their jobs came to, and no more. */
export async function checkQuotas(
  catalogPath: string,
  keys: readonly TenantKey[],
  jobs: readonly SeenJob[],
  spent: readonly Spending[],
): Promise<string[]> {
  const kv = await openKv(catalogPath);
  const wrong: string[] = [];
  try {
    const { quotas } = createCatalog(kv, sleep);
    for (const { accessKeyId, tenant, limits } of keys) {
      const limit = limitNames.find((name) => limits[name] !== undefined);
      if (!limit) continue;
      const own = jobs.filter(({ key }) => key.accessKeyId === accessKeyId);
      const ids = new Set(own.map(({ id }) => id));
      const paid = spent.filter(({ job }) => ids.has(job));
      const tokens = (name: "inputTokens" | "outputTokens") =>
        paid.reduce((sum, one) => sum + one[name], 0);
      const ran = {
        jobs: own.length,
        records: own.reduce((n, { seen }) => n + (countOf(seen["processedRecordCount"]) ?? 0), 0),
        cost: Math.round(
          costOf({ inputTokens: tokens("inputTokens"), outputTokens: tokens("outputTokens") }) *
            costUnits,
        ),
      };
      const { used, reserved } = await quotas.get(accessKeyId, monthOf(Date.now()));
      const names = limit === "maxCost"
        ? ["jobs", "records", "cost"] as const
        : ["jobs", "records"] as const;
      for (const name of names) {
        if (used[name] !== ran[name]) {
          wrong.push(`${tenant} used ${used[name]} ${name}, and ran ${ran[name]}`);
        }
        if (reserved[name] !== 0) wrong.push(`${tenant} still reserves ${reserved[name]} ${name}`);
      }
      wrong.push(...passed({ limits, tenant }, ran));
    }
  } finally {
    kv.close();
  }
  return wrong;
}

/** The limits of a key that amounts are over. */
export function passed(
  { limits, tenant }: Pick<TenantKey, "limits" | "tenant">,
  { jobs, records, cost }: Pick<Amounts, "jobs" | "records" | "cost">,
): string[] {
  const { maxJobs = Infinity, maxRecords = Infinity, maxCost = Infinity } = limits;
  const facts = [[jobs, maxJobs, "jobs"], [records, maxRecords, "records"], [
    cost,
    Math.round(maxCost * costUnits),
    "billionths of a USD",
  ]] as const;
  return facts.flatMap(([sum, most, name]) =>
    sum > most ? [`${tenant} has ${sum} of ${most} ${name}`] : []
  );
}

/** What is wrong with the events that a receiver took. */
export async function checkEvents(
  catalogPath: string,
  jobs: readonly SeenJob[],
  taken: readonly EventBody[],
  /** When a backup was brought back: what events of before say may not have happened. */
  restoredAt: number,
): Promise<string[]> {
  const kv = await openKv(catalogPath);
  const wrong: string[] = [];
  try {
    const { outbox } = createCatalog(kv, sleep);
    const waiting = await all(outbox.waiting());
    if (waiting.length > 0) wrong.push(`${waiting.length} events wait`);
    const numbers = new Map<string, number>();
    for (const { number, entry } of await all(outbox.done())) {
      numbers.set(entry.event.id, number);
      if (entry.outcome !== "delivered") wrong.push(`event ${entry.event.id} was given up`);
    }
    const firsts = new Map<string, EventBody[]>();
    const known = new Set<string>();
    for (const event of taken) {
      const { batchJobArn, lastModifiedTime } = event.detail;
      const isForgotten = Date.parse(lastModifiedTime) <= restoredAt;
      if (!numbers.has(event.id) && !isForgotten) wrong.push(`event ${event.id} is not recorded`);
      if (!numbers.has(event.id) || known.has(event.id)) continue;
      known.add(event.id);
      firsts.set(batchJobArn, [...firsts.get(batchJobArn) ?? [], event]);
    }
    for (const id of numbers.keys()) if (!known.has(id)) wrong.push(`event ${id} never came`);
    for (const { arn, seen } of jobs) {
      const own = firsts.get(arn) ?? [];
      const order = own.map(({ id }) => numbers.get(id));
      const isInOrder = order.every((number, at) => number === at + 1);
      const statuses = own.map(({ detail }) => detail.status as JobStatus);
      const isOver = statuses.filter(isTerminal).length === 1 && statuses.at(-1) === seen.status;
      if (!isInOrder || !isOver) {
        wrong.push(`job ${arn} is ${seen.status}, and its events were ${statuses} (${order})`);
      }
    }
  } finally {
    kv.close();
  }
  return wrong;
}

/** Looks at what keys have used and reserved, again and again; what passed a limit. */
export function watchQuotas(catalogPath: string, keys: readonly TenantKey[]) {
  const violations = new Set<string>();
  const month = monthOf(Date.now());
  let looks = 0;
  let isOver = false;
  let looking = Promise.resolve();
  const look = async () => {
    while (!isOver) {
      const kv = await openKv(catalogPath);
      try {
        const { quotas } = createCatalog(kv, sleep);
        for (let n = 0; n < 20 && !isOver; n++) {
          for (const key of keys) {
            const { used, reserved } = await quotas.get(key.accessKeyId, month);
            const sum = {
              jobs: used.jobs + reserved.jobs,
              records: used.records + reserved.records,
              cost: used.cost + reserved.cost,
            };
            for (const one of passed(key, sum)) violations.add(one);
          }
          looks++;
          await sleep(50);
        }
      } finally {
        kv.close();
      }
    }
  };
  return {
    violations,
    looks: () => looks,
    start() {
      isOver = false;
      looking = look();
    },
    async stop() {
      isOver = true;
      await looking;
    },
  };
}
