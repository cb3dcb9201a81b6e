/** Gateways and simulated providers as a client without an SDK sees them. */
import assert from "node:assert/strict";
import type { FaultRule } from "../../sandbox/faults.ts";
import type { LedgerView } from "../../sandbox/ledger.ts";
import type { Sandbox } from "../../sandbox/server.ts";
import { sleep } from "../catalog/memory.ts";

/** A job as Get and List tell of it. */
export type JobJson = Readonly<Record<string, unknown>> & { jobArn: string; status: string };

/** What a client does at one provider. */
export type Client = ReturnType<typeof createClient>;

/** Three records that OpenAI's batches take. */
export const openaiLines = [1, 2, 3].map((n) =>
  JSON.stringify({
    custom_id: `request-${n}`,
    method: "POST",
    url: "/v1/chat/completions",
    body: { model: "gpt-4o-mini", messages: [{ role: "user", content: "Hello" }] },
  })
).join("\n");

/** Three records that Gemini's batches take. */
export const geminiLines = [1, 2, 3].map((n) =>
  JSON.stringify({ key: `request-${n}`, request: { contents: [{ parts: [{ text: "Hello" }] }] } })
).join("\n");

/** Sends a request; one that signs it first, where a gateway has keys. */
export type Fetcher = (url: string, init: RequestInit) => Promise<Response>;

/** Makes a client of a gateway. */
export function createClient(url: string, provider = "openai", fetcher: Fetcher = fetch) {
  const headers = { "x-model-provider": provider };
  const send = (path: string, init: RequestInit = {}) =>
    fetcher(`${url}${path}`, { ...init, headers: { ...headers, ...init.headers } });
  const json = async (path: string, init?: RequestInit) => {
    const response = await send(path, init);
    const text = await response.text();
    assert.ok(response.ok, `${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
  const jobPath = (id: string) => `/bedrock/model-invocation-job/${encodeURIComponent(id)}`;
  return {
    send,
    put: (key: string, body: string, signal?: AbortSignal) =>
      send(`/bedrock/files/${key}`, { method: "PUT", body, ...(signal && { signal }) }),
    /** Puts an object; its file id. */
    async upload(key: string, body = openaiLines): Promise<string> {
      const response = await send(`/bedrock/files/${key}`, { method: "PUT", body });
      assert.equal(response.status, 200, await response.text());
      return (response.headers.get("etag") ?? "").replaceAll('"', "");
    },
    createRaw: (key: string, more: object = {}, signal?: AbortSignal) =>
      send("/bedrock/model-invocation-job", {
        method: "POST",
        ...(signal && { signal }),
        body: JSON.stringify({
          jobName: "job",
          roleArn: "none",
          modelId: "gemini-2.5-flash",
          inputDataConfig: { s3InputDataConfig: { s3Uri: `s3://${key}` } },
          outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://out/" } },
          ...more,
        }),
      }),
    /** Creates a job; its ARN. */
    async create(key: string, more: object = {}): Promise<string> {
      const response = await this.createRaw(key, more);
      const text = await response.text();
      assert.equal(response.status, 200, text);
      return JSON.parse(text).jobArn;
    },
    get: (id: string): Promise<JobJson> => json(jobPath(id)),
    /** Stops a job; "" if that is taken, else the exception's name. */
    async stop(id: string): Promise<string> {
      const response = await send(`${jobPath(id)}/stop`, { method: "POST" });
      await response.body?.cancel();
      return response.headers.get("x-amzn-errortype") ?? "";
    },
    async list(query = ""): Promise<JobJson[]> {
      return (await json(`/bedrock/model-invocation-jobs${query}`)).invocationJobSummaries;
    },
  };
}

/** Sets a fault at the simulated providers. */
export async function fault({ controlUrl }: Sandbox, rule: FaultRule): Promise<void> {
  const response = await fetch(`${controlUrl}/faults`, {
    method: "POST",
    body: JSON.stringify(rule),
  });
  assert.equal(response.status, 200, await response.text());
}

/** Takes all faults away. */
export async function mend({ controlUrl }: Sandbox): Promise<void> {
  const response = await fetch(`${controlUrl}/faults`, { method: "DELETE" });
  await response.body?.cancel();
}

/** What the simulated providers hold and were asked. */
export async function ledger({ controlUrl }: Sandbox): Promise<LedgerView> {
  return await (await fetch(`${controlUrl}/ledger`)).json();
}

/** How many things a simulated provider holds. */
export async function holds(sandbox: Sandbox, part: string, collection: string): Promise<number> {
  return (await ledger(sandbox)).holdings[part]?.[collection]?.count ?? 0;
}

/** How often a path of a simulated provider was asked for. */
export async function asked(sandbox: Sandbox, method: string, path: RegExp): Promise<number> {
  const { requests } = await ledger(sandbox);
  return requests.filter((one) => one.method === method && path.test(one.path)).length;
}

/** Asks until there is an answer, for half a minute at most. */
export async function until<Value>(
  what: string,
  ask: () => Promise<Value | undefined | false>,
): Promise<Value> {
  for (let n = 0; n < 600; n++) {
    const value = await ask();
    if (value !== undefined && value !== false) return value;
    await sleep(50);
  }
  throw new Error(`In half a minute it did not happen: ${what}`);
}
