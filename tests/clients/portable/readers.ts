/** The official clients, as readers of an answer that stands in a line of results. */
import Anthropic from "../../sdks/anthropic.ts";
import { GoogleGenAI } from "../../sdks/genai.ts";
import OpenAI from "../../sdks/openai.ts";

/** Reads an answer; its text. */
type Reader = (served: { apiKey: string; fetch: typeof fetch }) => Promise<string | null>;

const baseURL = "http://localhost";
const content = "Hi";

const chat: Reader = async (served) => {
  const client = new OpenAI({ ...served, baseURL });
  const messages = [{ role: "user" as const, content }];
  const { choices } = await client.chat.completions.create({ model: "m", messages });
  return choices[0]?.message.content ?? null;
};

const claude: Reader = async (served) => {
  const client = new Anthropic({ ...served, baseURL });
  const messages = [{ role: "user" as const, content }];
  const read = await client.messages.create({ model: "m", max_tokens: 9, messages });
  const [first] = read.content;
  return first?.type === "text" ? first.text : null;
};

/** By the dialect of the results; botocore reads Converse in Python, other forms have no client. */
export const readers: Readonly<Record<string, Reader>> = {
  "openai-chat": chat,
  "bedrock-openai": chat,
  anthropic: claude,
  "bedrock-anthropic": claude,
  "openai-responses": async (served) =>
    (await new OpenAI({ ...served, baseURL }).responses.create({ model: "m", input: content }))
      .output_text,
  gemini: async ({ apiKey, fetch }) => {
    const client = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: baseURL, fetch } });
    const read = await client.models.generateContent({ model: "m", contents: content });
    return read.text ?? null;
  },
};
