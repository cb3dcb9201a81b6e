/** Where a cell of the matrix is tried: one provider of the gateway, and one object or job there. */
import assert from "node:assert/strict";
import { sandboxKeys } from "../../sandbox/context.ts";
import type { FaultRule } from "../../sandbox/faults.ts";
import type { Sandbox } from "../../sandbox/server.ts";
import { type createClient, geminiLines, openaiLines } from "../jobs/wire.ts";
import type { Api, FaultName, Kind, Outcome } from "./kinds_of_fault.ts";

/** A provider of the gateway's that one cell after another uses. */
export interface Place {
  readonly kind: Kind;
  /** The provider's configured name. */
  readonly provider: string;
  readonly sandbox: Sandbox;
  readonly client: ReturnType<typeof createClient>;
  /** Unlike those of the cells before. */
  readonly key: string;
}

/** A call to a provider that goes wrong, and the client's request behind it. */
export interface Row {
  readonly kind: Kind;
  /** What the provider is asked. */
  readonly name: string;
  readonly api: Api;
  /** Which of the provider's requests. */
  readonly call: Pick<FaultRule, "method" | "path" | "query">;
  /** What the gateway asks the provider before, if anything. */
  readonly before?: Pick<FaultRule, "method" | "path" | "query">;
  /** What goes wrong besides, once. */
  readonly besides?: FaultRule;
  /** The API that the client speaks. */
  readonly speaks: "s3" | "bedrock";
  /** How long the provider's batches take, in seconds; for ever where absent. */
  readonly batchSeconds?: number;
  /** Makes what the request is about; what `send` has to know of it. */
  prepare?(at: Place): Promise<string>;
  /** The client's request. */
  send(at: Place, subject: string, signal: AbortSignal): Promise<Response>;
  /** What the client is told, where it is not what the fault alone tells. */
  readonly outcomes?: Partial<Record<FaultName, Outcome>>;
  /** Exceptions that a second try may meet, because the first was carried out. */
  readonly secondTry?: string;
  /** Looks at what has become of it once all is well again. */
  check?(at: Place, subject: string, answer: string): Promise<void>;
  /** What is left at the provider: files, and batches. */
  readonly leaves: readonly [files: number, batches: number];
  /** Files that faults leave besides, until the cell's job ends. */
  readonly leavesMore?: Readonly<Partial<Record<FaultName, number>>>;
}

/** The input of jobs at a kind of provider. */
export const linesOf = (kind: Kind): string => kind === "gemini" ? geminiLines : openaiLines;

/** A file's or a batch's creation by the provider's own API. */
async function byHand(
  url: string,
  headers: Record<string, string>,
  body: BodyInit,
): Promise<Record<string, unknown>> {
  const response = await fetch(url, { method: "POST", headers, body });
  const text = await response.text();
  assert.ok(response.ok, text);
  return JSON.parse(text);
}

/** Puts a file into the provider past the gateway; its id. */
export async function putNative({ kind, sandbox, key }: Place): Promise<string> {
  if (kind === "gemini") {
    const headers = {
      "x-goog-api-key": sandboxKeys.gemini,
      "content-type": "multipart/related; boundary=b",
      "x-goog-upload-protocol": "multipart",
    };
    const parts = [
      `--b\r\ncontent-type: application/json\r\n\r\n${
        JSON.stringify({ file: { displayName: key } })
      }\r\n`,
      `--b\r\ncontent-type: application/jsonl\r\n\r\n${geminiLines}\r\n--b--\r\n`,
    ];
    const url = `${sandbox.geminiUrl}/upload/v1beta/files`;
    const { file } = await byHand(url, headers, parts.join("")) as { file: { name: string } };
    return file.name;
  }
  const form = new FormData();
  form.set("purpose", "batch");
  form.set("file", new File([openaiLines], `${key}.jsonl`));
  const headers = { authorization: `Bearer ${sandboxKeys.openai}` };
  return `${(await byHand(`${sandbox.openaiUrl}/files`, headers, form))["id"]}`;
}

/** Starts a batch of Anthropic's past the gateway; its id. */
export async function startNative({ sandbox }: Place): Promise<string> {
  const params = { model: "m", max_tokens: 9, messages: [{ role: "user", content: "Hello" }] };
  const batch = await byHand(
    `${sandbox.anthropicUrl}/v1/messages/batches`,
    {
      "x-api-key": sandboxKeys.anthropic,
      "anthropic-version": "2023-06-01",
      "content-type": "application/json",
    },
    JSON.stringify({ requests: [{ custom_id: "a", params }] }),
  );
  return `${batch["id"]}`;
}

/** Puts the cell's object; its ETag. */
export function putObject({ kind, client, key }: Place): Promise<string> {
  return client.upload(`inputs/${key}`, linesOf(kind));
}

/** What a job of the cell is created with: the tag spares OpenAI's input from being looked into. */
export const jobOf = (key: string, tagged = true) => ({
  jobName: key,
  clientRequestToken: key,
  ...(tagged && { tags: [{ key: "endpoint", value: "/v1/chat/completions" }] }),
});

/** Puts an object and starts a job on it; the job's ARN. */
export async function startJob(at: Place): Promise<string> {
  await putObject(at);
  return await at.client.create(`inputs/${at.key}`, jobOf(at.key));
}
