/** What simulated providers say of themselves that they ran: the witness of what the gateway counts. */
import type { Sandbox } from "../../sandbox/server.ts";
import { sandboxEnvironment } from "../../sandbox/environment.ts";

/** Tokens of all results that a simulator holds. */
export interface Ran {
  readonly input: number;
  readonly output: number;
}

type Reader = (environment: Readonly<Record<string, string>>) => Promise<string[]>;

const decoder = { lines: (text: string) => text.split("\n").filter((line) => line !== "") };

async function get(url: string, headers: Readonly<Record<string, string>>): Promise<Response> {
  const response = await fetch(url, { headers });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response;
}

/** The result lines of all batches that a provider has. */
const readers: Readonly<Record<string, Reader>> = {
  async openai(env) {
    const [base, headers] = [env["OPENAI_BASE_URL"], {
      authorization: `Bearer ${env["OPENAI_API_KEY"]}`,
    }];
    const { data } = await (await get(`${base}/batches?limit=100`, headers)).json();
    const lines: string[] = [];
    for (const { output_file_id } of data) {
      if (!output_file_id) continue;
      const file = await get(`${base}/files/${output_file_id}/content`, headers);
      lines.push(...decoder.lines(await file.text()));
    }
    return lines;
  },
  async gemini(env) {
    const base = env["GOOGLE_GEMINI_BASE_URL"];
    const headers = { "x-goog-api-key": env["GEMINI_API_KEY"] ?? "" };
    const { operations = [] } = await (await get(`${base}/v1beta/batches?pageSize=100`, headers))
      .json();
    const lines: string[] = [];
    for (const { metadata, response } of operations) {
      const file = response?.responsesFile ?? metadata?.output?.responsesFile;
      if (!file) continue;
      const found = await get(`${base}/download/v1beta/${file}:download?alt=media`, headers);
      lines.push(...decoder.lines(await found.text()));
    }
    return lines;
  },
  async anthropic(env) {
    const base = env["ANTHROPIC_BASE_URL"];
    const headers = {
      "x-api-key": env["ANTHROPIC_API_KEY"] ?? "",
      "anthropic-version": "2023-06-01",
    };
    const { data } = await (await get(`${base}/v1/messages/batches?limit=100`, headers)).json();
    const lines: string[] = [];
    for (const { id, processing_status } of data) {
      if (processing_status !== "ended") continue;
      const found = await get(`${base}/v1/messages/batches/${id}/results`, headers);
      lines.push(...decoder.lines(await found.text()));
    }
    return lines;
  },
};

/** Sums what a simulator's own results say, without any code of the gateway's. */
export async function ranAt(sandbox: Sandbox, provider: string): Promise<Ran> {
  const lines = await readers[provider]?.(sandboxEnvironment(sandbox)) ?? [];
  const sum = (pattern: RegExp) =>
    lines.reduce((total, line) => total + Number(pattern.exec(line)?.[1] ?? 0), 0);
  return {
    input: sum(/"(?:prompt_tokens|input_tokens|promptTokenCount)":\s*(\d+)/),
    output: sum(/"(?:completion_tokens|output_tokens|candidatesTokenCount)":\s*(\d+)/),
  };
}

/** All usage that a gateway without keys shows, also of days that a test has let pass. */
export async function usageAt(url: string, by = "provider"): Promise<UsageRow[]> {
  const day = (offset: number) =>
    new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
  const response = await fetch(`${url}/usage?by=${by}&from=${day(-2)}&to=${day(300)}`);
  return (await response.json()).rows;
}

/** A row of usage. */
export interface UsageRow {
  readonly provider: string;
  readonly model: string;
  readonly jobs: number;
  readonly records: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}
