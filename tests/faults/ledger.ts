/** The end of the run: what clients were told, what gateways tell, and what providers hold. */
import assert from "node:assert/strict";
import { sandboxKeys } from "../../sandbox/context.ts";
import type { Sandbox } from "../../sandbox/server.ts";
import { createClient, type JobJson, ledger } from "../jobs/wire.ts";
import { type Model, type ProviderName, providers } from "./model.ts";
import { matches } from "./work.ts";

/** A batch as its provider tells of it. */
interface Batch {
  readonly job: string;
  readonly name: string;
  /** In Bedrock's words; undefined while it runs. */
  readonly end: string | undefined;
}

/** Bedrock's words for the providers' ends. */
const ends: Readonly<Record<string, string>> = {
  completed: "Completed",
  cancelled: "Stopped",
  failed: "Failed",
  BATCH_STATE_SUCCEEDED: "Completed",
  BATCH_STATE_CANCELLED: "Stopped",
  BATCH_STATE_FAILED: "Failed",
};

type Json = Record<string, unknown>;

/** All things of a provider's list; `more` gives the address of the next page. */
export async function pages(
  first: string,
  headers: HeadersInit,
  more: (page: Json) => string | undefined,
) {
  const found: Json[] = [];
  for (let url: string | undefined = first; url !== undefined;) {
    const answer: Response = await fetch(url, { headers });
    const page: Json = await answer.json();
    assert.equal(answer.status, 200, JSON.stringify(page));
    found.push(...(page["data"] ?? page["operations"] ?? []) as Json[]);
    url = more(page);
  }
  return found;
}

/** Every batch of a provider, by the provider's own API. */
async function batchesOf(provider: ProviderName, sandbox: Sandbox): Promise<Batch[]> {
  if (provider === "openai") {
    const url = `${sandbox.openaiUrl}/batches?limit=100`;
    const headers = { authorization: `Bearer ${sandboxKeys.openai}` };
    const all = await pages(
      url,
      headers,
      (page) => page["has_more"] === true ? `${url}&after=${page["last_id"]}` : undefined,
    );
    return all.map(({ metadata, status }) => {
      const { batchway_job: job = "", batchway_name: name = "" } = metadata as Record<
        string,
        string
      >;
      return { job, name, end: ends[`${status}`] };
    });
  }
  const url = `${sandbox.geminiUrl}/v1beta/batches?pageSize=100`;
  const headers = { "x-goog-api-key": sandboxKeys.gemini };
  const all = await pages(
    url,
    headers,
    ({ nextPageToken: token }) => token === undefined ? undefined : `${url}&pageToken=${token}`,
  );
  return all.map(({ metadata }) => {
    const { displayName, state } = metadata as Record<string, string>;
    const [, name = "", job = ""] = /^(.*) \[batchway:(.*)\]$/.exec(displayName ?? "") ?? [];
    return { job, name, end: ends[`${state}`] };
  });
}

/** Ids of the files that were put into a provider and are still there. */
export async function filesOf(provider: ProviderName, sandbox: Sandbox): Promise<string[]> {
  const { holdings } = await ledger(sandbox);
  const items = holdings[provider]?.["files"]?.items ?? [];
  return items
    .filter(({ purpose, source }) => purpose === "batch" || source === "UPLOADED")
    .map(({ id }) => provider === "gemini" ? `files/${id}` : `${id}`).sort();
}

/** Every object of the run's bucket: its key and the file behind it. */
async function objectsOf(url: string, provider: ProviderName): Promise<Map<string, string>> {
  const client = createClient(url, provider);
  const found = new Map<string, string>();
  for (let query: string | undefined = "?list-type=2"; query !== undefined;) {
    const answer: Response = await client.send(`/bedrock/files/inputs${query}`);
    const xml = await answer.text();
    assert.equal(answer.status, 200, xml);
    for (const [, entry = ""] of xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
      const key = /<Key>(.*?)<\/Key>/.exec(entry)?.[1] ?? "";
      found.set(key, /<ETag>(?:&quot;|")?(.*?)(?:&quot;|")?<\/ETag>/.exec(entry)?.[1] ?? "");
    }
    const token = /<NextContinuationToken>(.*?)</.exec(xml)?.[1];
    query = token && `?list-type=2&continuation-token=${encodeURIComponent(token)}`;
  }
  return found;
}

/** Every job of a provider, as a gateway lists it. */
async function jobsOf(url: string, provider: ProviderName): Promise<JobJson[]> {
  const client = createClient(url, provider);
  const found: JobJson[] = [];
  for (let token = "";;) {
    const query = `?maxResults=1000${token && `&nextToken=${encodeURIComponent(token)}`}`;
    const answer = await client.send(`/bedrock/model-invocation-jobs${query}`);
    const { invocationJobSummaries, nextToken } = await answer.json();
    found.push(...invocationJobSummaries);
    if (nextToken === undefined) return found;
    token = nextToken;
  }
}

const idOf = (arn: string) => arn.slice(-12);

/** What a provider and its gateway say of each other, one sentence for each thing that is wrong. */
export async function compare(
  url: string,
  sandbox: Sandbox,
  model: Model,
  provider: ProviderName,
): Promise<string[]> {
  const wrong: string[] = [];
  const batches = await batchesOf(provider, sandbox);
  const jobs = await jobsOf(url, provider);
  const byJob = new Map(batches.map((batch) => [batch.job, batch]));
  if (byJob.size < batches.length) wrong.push(`${provider} runs two batches for one job`);
  if (jobs.length !== batches.length) {
    wrong.push(`${provider} has ${batches.length} batches, and ${jobs.length} jobs are listed`);
  }
  for (const { jobArn, jobName, status } of jobs) {
    const batch = byJob.get(idOf(jobArn));
    if (!batch) wrong.push(`job ${jobName} has no batch`);
    else if (batch.end === undefined) wrong.push(`the batch of job ${jobName} is not over`);
    else if (batch.end !== status) wrong.push(`job ${jobName} is ${status}, not ${batch.end}`);
  }
  for (const { name, arn, outcome } of model.creates.filter((one) => one.provider === provider)) {
    const made = batches.filter((batch) => batch.name === name);
    const expected = outcome === "acknowledged" ? [1] : outcome === "refused" ? [0] : [0, 1];
    if (!expected.includes(made.length)) {
      wrong.push(`create ${name} was ${outcome} and made ${made.length} batches`);
    }
    if (arn !== undefined && !made.some(({ job }) => job === idOf(arn))) {
      wrong.push(`create ${name} was acknowledged as another job than its batch's`);
    }
  }
  const objects = await objectsOf(url, provider);
  const files = await filesOf(provider, sandbox);
  const named = [...objects.values()].sort();
  if (named.join() !== files.join()) {
    const modelOf = (key: string) => model.objects.find((one) => one.key === key);
    const lost = [...objects]
      .filter(([key, file]) => !files.includes(file) && !modelOf(key)?.mayLackFile)
      .map(([key]) => {
        const may = modelOf(key)?.may ?? [];
        return `${key} (${may.map((one) => one?.bytes ?? "none").join(" or ")})`;
      });
    const left = files.filter((file) => !named.includes(file) && !model.mayBeLeft.has(file));
    if (lost.length + left.length === 0) return wrong;
    wrong.push(`${provider} lacks the files of [${lost}] and has [${left}] that nobody names`);
  }
  return wrong;
}

/** Every object is one that its writers may have left, to the byte where the provider tells. */
export async function checkObjects(url: string, model: Model): Promise<string[]> {
  const wrong: string[] = [];
  for (const { provider, key, may } of model.objects) {
    const method = provider === "gemini" ? "HEAD" : "GET";
    const answer = await createClient(url, provider)
      .send(`/bedrock/files/inputs/${key}`, { method });
    const told = { status: answer.status, headers: answer.headers, text: await answer.text() };
    if (!may.some((content) => matches(told, content, method))) {
      const expected = may.map((one) => one === null ? "none" : `${one.bytes} bytes`);
      wrong.push(`${key} is ${told.status} and must be ${expected.join(" or ")}: ${told.text}`);
    }
  }
  return wrong;
}

/** Compares until nothing is wrong, or the time is up: sweeps and batches need some. */
export async function settle(url: string, sandbox: Sandbox, model: Model, seconds: number) {
  const end = Date.now() + seconds * 1_000;
  for (;;) {
    const wrong = (await Promise.all(
      providers.map((provider) => compare(url, sandbox, model, provider)),
    )).flat();
    if (wrong.length === 0 || Date.now() > end) return wrong;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
