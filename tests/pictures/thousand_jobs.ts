/**
 * A thousand jobs of three tenants over three weeks, in every state: what a dashboard must stay readable
 * with. The same numbers make the same jobs.
 */
import { Buffer } from "node:buffer";
import type { Client } from "../routes/dashboard/running.ts";

/** What the jobs are made with. */
export interface Makers {
  readonly tenants: Readonly<Record<string, Client>>;
  /** Sets the time of the gateway and of its providers forth, in milliseconds. */
  readonly pass: (milliseconds: number) => void;
  /** Posts a rule to the simulated providers. */
  readonly fault: (rule: Readonly<Record<string, unknown>>) => Promise<void>;
}

/** A kind of job that teams run again and again. */
interface Routine {
  readonly name: string;
  readonly provider: "openai" | "gemini" | "anthropic";
  readonly modelId: string;
  readonly records: number;
}

const minute = 60_000;
const day = 24 * 60 * minute;

const routines: readonly Routine[] = [
  { name: "nightly-summaries", provider: "openai", modelId: "gpt-4o-mini", records: 24 },
  {
    name: "support-tickets.triage",
    provider: "anthropic",
    modelId: "claude-haiku-4-5",
    records: 9,
  },
  { name: "catalogue-translation", provider: "gemini", modelId: "gemini-2.5-flash", records: 16 },
  { name: "evals", provider: "openai", modelId: "gpt-4.1-mini", records: 5 },
  {
    name: "quarterly-reports-of-all-subsidiaries-with-all-notes-v12",
    provider: "openai",
    modelId: "gpt-4o",
    records: 12,
  },
  { name: "moderation", provider: "anthropic", modelId: "claude-sonnet-4-5", records: 7 },
];

/** Makes the jobs; the last two hours' are still under way. */
export async function makeJobs(
  { tenants, pass, fault }: Makers,
  jobs: number,
): Promise<void> {
  const names = Object.keys(tenants);
  const recent = Math.min(30, Math.floor(jobs / 4));
  const step = 20 * day / (jobs - recent);
  for (let at = 0, size = 10; at < jobs; at += size) {
    const isRecent = at >= jobs - recent;
    size = isRecent ? 1 : Math.min(10, jobs - recent - at);
    const numbers = Array.from({ length: size }, (_, n) => at + n);
    await Promise.all(numbers.map(async (n) => {
      const client = tenants[names[n * n % 7 % names.length] ?? ""];
      const routine = routines[n % routines.length];
      if (client && routine) await makeJob(client, routine, n);
    }));
    pass(isRecent ? 120 * minute / recent : size * step);
    if (at % 330 === 0 && !isRecent) await spoil(fault, at);
  }
}

/** The number of a late job of many records, some of which have failed. */
export function someFailed(jobs: number): number {
  const isOne = (n: number) => n % 18 === 4 && n % 37 !== 11 && n % 29 !== 7;
  let n = jobs - Math.min(60, jobs - 4);
  while (n > 4 && !isOne(n)) n--;
  return n;
}

async function makeJob(client: Client, routine: Routine, n: number): Promise<void> {
  const { provider, modelId } = routine;
  const name = `${routine.name}-${n}`;
  const records = n % 41 === 0 ? routine.records * 20 : routine.records;
  const lines = Array.from({ length: records }, (_, at) => {
    const fails = n % 9 === 4 && at % 5 === 2;
    return line(provider, modelId, `${fails ? "error-" : "record-"}${at}`);
  });
  // A file that is not JSONL: its job fails with a reason.
  if (n % 37 === 11) lines.splice(1, 0, "This is not a record\n");
  const key = n % 25 === 0 ? `in/Übersicht/Αναφορά ${n}.jsonl` : `in/${name}.jsonl`;
  await client.put(provider, `data/${encodeURIComponent(key)}`, Buffer.from(lines.join("")));
  const id = await client.create(provider, name, {
    modelId,
    inputDataConfig: { s3InputDataConfig: { s3Uri: `s3://data/${key}` } },
    tags: [{ key: "team", value: "reports" }, { key: "cost-centre", value: "4711" }],
  }).catch((error) => {
    // What a create refuses at once makes no job.
    if (!(error instanceof Error)) throw error;
  });
  if (id !== undefined && n % 29 === 7) {
    await client.send("POST", `/bedrock/model-invocation-job/${id}/stop`, provider);
  }
}

/** Lets some batches end badly by their provider's own word. */
async function spoil(
  fault: (rule: Readonly<Record<string, unknown>>) => Promise<void>,
  at: number,
): Promise<void> {
  const message = "The batch was stopped by the provider: your account has used up its quota of " +
    "enqueued tokens for this model. Lower the number of batches that run at a time, or ask for more";
  const errors = { object: "list", data: [{ code: "token_limit_exceeded", message }] };
  const batch = { provider: "openai", method: "GET", path: "/batches/", times: 3 };
  await fault({ ...batch, replaceMembers: { status: "failed", errors } });
  if (at > 0) await fault({ ...batch, times: 2, replaceMembers: { status: "expired" } });
}

function line(provider: Routine["provider"], model: string, id: string): string {
  const content = `Summarise what the customer of ticket ${id} asks for, in one sentence`;
  const messages = [{ role: "user", content }];
  if (provider === "anthropic") {
    return `${JSON.stringify({ custom_id: id, params: { model, max_tokens: 100, messages } })}\n`;
  }
  if (provider === "gemini") {
    const contents = [{ role: "user", parts: [{ text: content }] }];
    return `${JSON.stringify({ key: id, request: { contents } })}\n`;
  }
  const body = { model, messages };
  return `${
    JSON.stringify({ custom_id: id, method: "POST", url: "/v1/chat/completions", body })
  }\n`;
}
