/** A started sandbox with OpenAI's own client, a clock that stands still, and input lines. */
import OpenAI, { toFile } from "../../sdks/openai.ts";
import { sandboxKeys } from "../../../sandbox/context.ts";
import { type Sandbox, type SandboxSettings, startSandbox } from "../../../sandbox/server.ts";
import { Clock } from "../clock.ts";

/** What a test gets. Batches take 100 seconds of a window of 1,000. */
export interface World {
  readonly client: OpenAI;
  readonly sandbox: Sandbox;
  readonly clock: Clock;
}

/** Runs a test against a new sandbox. */
export async function withOpenAI(
  test: (world: World) => Promise<void>,
  settings: SandboxSettings = {},
  apiKey: string = sandboxKeys.openai,
): Promise<void> {
  const clock = new Clock();
  const sandbox = await startSandbox(
    { batchSeconds: 100, windowSeconds: 1000, ...settings },
    { now: clock.now },
  );
  try {
    const client = new OpenAI({ apiKey, baseURL: sandbox.openaiUrl, maxRetries: 0 });
    await test({ client, sandbox, clock });
  } finally {
    await sandbox.close();
  }
}

/** An input line that asks for a sum; fields can be changed or, as undefined, left out. */
export function line(customId: string, changes: Record<string, unknown> = {}): string {
  return JSON.stringify({
    custom_id: customId,
    method: "POST",
    url: "/v1/chat/completions",
    body: {
      model: "gpt-4o-mini",
      messages: [{ role: "user", content: `What is ${customId.length} + 2? Answer briefly.` }],
    },
    ...changes,
  });
}

/** Uploads lines as a batch's input. */
export async function uploadLines(
  client: OpenAI,
  lines: readonly string[],
): Promise<OpenAI.FileObject> {
  const text = lines.map((each) => `${each}\n`).join("");
  const file = await toFile(new TextEncoder().encode(text), "input.jsonl");
  return await client.files.create({ file, purpose: "batch" });
}

/** Uploads lines and starts a batch of them. */
export async function startBatch(
  client: OpenAI,
  lines: readonly string[],
  endpoint: OpenAI.BatchCreateParams["endpoint"] = "/v1/chat/completions",
): Promise<OpenAI.Batch> {
  const { id } = await uploadLines(client, lines);
  return await client.batches.create({
    input_file_id: id,
    endpoint,
    completion_window: "24h",
    metadata: { job: "j1" },
  });
}

/** A line of an output or error file. */
export interface ResultLine {
  readonly id: string;
  readonly custom_id: string;
  readonly response:
    | { readonly status_code: number; readonly request_id: string; readonly body: unknown }
    | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** The lines of an output or error file; none where there is no file. */
export async function results(
  client: OpenAI,
  id: string | null | undefined,
): Promise<ResultLine[]> {
  if (id === null || id === undefined) return [];
  const text = await (await client.files.content(id)).text();
  return text.split("\n").filter((each) => each !== "").map((each) => JSON.parse(each));
}
