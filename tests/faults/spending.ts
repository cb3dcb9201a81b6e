/** What simulated providers ran, by their own count, for each job. No code of the gateway's is used. */
import { sandboxKeys } from "../../sandbox/context.ts";
import type { Sandbox } from "../../sandbox/server.ts";
import { pages } from "./ledger.ts";
import type { ProviderName } from "./model.ts";

/** What a batch came to. */
export interface Spending {
  /** The last twelve characters of its job's ARN. */
  readonly job: string;
  /** Which of the job's batches it is; empty where it has one. */
  readonly shard: string;
  readonly provider: ProviderName;
  readonly model: string;
  /** An ISO time, to the second at OpenAI. */
  readonly createdAt: string;
  readonly answers: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

type Json = Readonly<Record<string, unknown>>;

const json = (value: unknown) => (value ?? {}) as Json;
const number = (value: unknown) => Number(value ?? 0);

/** Every batch of both providers. */
export async function spendings(sandbox: Sandbox): Promise<Spending[]> {
  return [...await atOpenai(sandbox), ...await atGemini(sandbox)];
}

async function atOpenai(sandbox: Sandbox): Promise<Spending[]> {
  const url = `${sandbox.openaiUrl}/batches?limit=100`;
  const headers = { authorization: `Bearer ${sandboxKeys.openai}` };
  const batches = await pages(
    url,
    headers,
    (page) => page["has_more"] === true ? `${url}&after=${page["last_id"]}` : undefined,
  );
  return batches.map(({ metadata, model, usage, request_counts, created_at }): Spending => {
    const { batchway_job: job, batchway_shard: shard } = json(metadata);
    const { input_tokens, output_tokens } = json(usage);
    return {
      job: `${job}`,
      shard: `${shard ?? ""}`,
      provider: "openai",
      model: `${model}`,
      createdAt: new Date(number(created_at) * 1_000).toISOString(),
      answers: number(json(request_counts)["completed"]),
      inputTokens: number(input_tokens),
      outputTokens: number(output_tokens),
    };
  });
}

async function atGemini(sandbox: Sandbox): Promise<Spending[]> {
  const url = `${sandbox.geminiUrl}/v1beta/batches?pageSize=100`;
  const headers = { "x-goog-api-key": sandboxKeys.gemini };
  const operations = await pages(
    url,
    headers,
    ({ nextPageToken: token }) => token === undefined ? undefined : `${url}&pageToken=${token}`,
  );
  return await Promise.all(operations.map(async ({ metadata, response }) => {
    const { displayName, model, output, createTime } = json(metadata);
    const [, job = "", shard = ""] = /\[batchway:(.*?)(?:\/(\d+))?\]$/.exec(`${displayName}`) ?? [];
    const file = json(response)["responsesFile"] ?? json(output)["responsesFile"];
    const sums = { answers: 0, inputTokens: 0, outputTokens: 0 };
    const results = file === undefined
      ? undefined
      : await fetch(`${sandbox.geminiUrl}/download/v1beta/${file}:download?alt=media`, { headers });
    for (const line of (await results?.text() ?? "").split("\n")) {
      const { usageMetadata } = line === "" ? {} : json(JSON.parse(line).response);
      if (usageMetadata === undefined) continue;
      const usage = json(usageMetadata);
      sums.answers++;
      sums.inputTokens += number(usage["promptTokenCount"]);
      sums.outputTokens += number(usage["candidatesTokenCount"]) +
        number(usage["thoughtsTokenCount"]);
    }
    const name = `${model}`.replace(/^models\//, "");
    return {
      job,
      shard,
      provider: "gemini" as const,
      model: name,
      createdAt: `${createTime}`,
      ...sums,
    };
  }));
}
