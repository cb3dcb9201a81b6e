/**
 * Vercel's AI SDK as an independent writer of requests and reader of answers: one prompt, written for
 * each provider by code that is not ours.
 */
import assert from "node:assert/strict";
import { createAnthropic } from "../sdks/ai_anthropic.ts";
import { createAmazonBedrock } from "../sdks/ai_bedrock.ts";
import { createGoogleGenerativeAI } from "../sdks/ai_google.ts";
import { createOpenAI } from "../sdks/ai_openai.ts";
import { models } from "./records.ts";

/** The dialects that the SDK speaks. */
export const spoken = [
  "openai-chat",
  "openai-responses",
  "gemini",
  "anthropic",
  "bedrock-converse",
] as const;
export type Spoken = typeof spoken[number];

/** A provider whose server is a function. */
interface Served {
  readonly apiKey: string;
  readonly fetch: typeof fetch;
}

const makers = {
  "openai-chat": (served: Served) => createOpenAI(served).chat(models["openai-chat"]),
  "openai-responses": (served: Served) =>
    createOpenAI(served).responses(models["openai-responses"]),
  gemini: (served: Served) => createGoogleGenerativeAI(served)(models.gemini),
  anthropic: (served: Served) => createAnthropic(served)(models.anthropic),
  "bedrock-converse": (served: Served) =>
    createAmazonBedrock({ ...served, region: "us-east-1" })(models["bedrock-converse"]),
};

/** What the SDK is asked; the oldest of the packages knows the least. */
export type Asked = Parameters<ReturnType<typeof makers["bedrock-converse"]>["doGenerate"]>[0];
/** What it reads. */
export type Read = Awaited<ReturnType<ReturnType<typeof makers["openai-chat"]>["doGenerate"]>>;

/** The body that the SDK sends for a prompt. */
export async function written(dialect: Spoken, asked: Asked): Promise<string> {
  let body: unknown;
  const model = makers[dialect]({
    apiKey: "key",
    fetch: (_url, init) => {
      body = init?.body;
      return Promise.resolve(new Response("{}", { status: 400 }));
    },
  });
  await assert.rejects(async () => await model.doGenerate(asked));
  assert(typeof body === "string", `${dialect} sent nothing`);
  return body;
}

/** What the SDK reads out of an answer. */
export async function read(dialect: Spoken, answer: string): Promise<Read> {
  const model = makers[dialect]({
    apiKey: "key",
    fetch: () =>
      Promise.resolve(
        new Response(answer, { headers: { "content-type": "application/json" } }),
      ),
  });
  return await model.doGenerate({
    prompt: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
  });
}
