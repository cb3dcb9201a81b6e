import assert from "node:assert/strict";
import { GoogleGenAI } from "../sdks/genai.ts";
import OpenAI, { toFile } from "../sdks/openai.ts";
import { sandboxKeys } from "../../sandbox/context.ts";
import type { Sandbox } from "../../sandbox/server.ts";
import { TidyFetch } from "../sandbox/tidy_fetch.ts";
import { type ClientError, heldFiles, runClient, withGateway } from "./session.ts";

type Storing = "openai" | "gemini";

/** Puts a file into a provider as programs without a gateway do. */
const putNative: Readonly<Record<Storing, (sandbox: Sandbox, text: string) => Promise<string>>> = {
  async openai({ openaiUrl }, text) {
    const client = new OpenAI({ apiKey: sandboxKeys.openai, baseURL: openaiUrl });
    const file = await toFile(new Blob([text]), "native.jsonl");
    return (await client.files.create({ file, purpose: "batch" })).id;
  },
  async gemini({ geminiUrl }, text) {
    const tidy = new TidyFetch();
    const client = new GoogleGenAI({
      apiKey: sandboxKeys.gemini,
      httpOptions: { baseUrl: geminiUrl, fetch: tidy.fetch },
    });
    const { name } = await client.files.upload({
      file: new Blob([text]),
      config: { mimeType: "application/jsonl" },
    });
    await tidy.tidy();
    return name ?? "";
  },
};

interface Seen {
  readonly lists: Readonly<Record<string, readonly string[]>>;
  readonly pages: readonly (readonly string[])[];
  readonly prefixed: readonly string[];
  readonly heads: readonly number[];
  readonly get: ClientError | null;
  readonly statuses: readonly string[];
  readonly counts: readonly number[];
  readonly echoed: string;
  readonly afterJob: readonly string[];
  readonly deleted: number;
  readonly afterDelete: readonly string[];
}

for (const provider of ["openai", "gemini"] as const) {
  Deno.test(`files put without Batchway are objects of two buckets at ${provider}`, () =>
    withGateway(async ({ url, sandbox }) => {
      const record = provider === "openai"
        ? {
          custom_id: "a",
          method: "POST",
          url: "/v1/chat/completions",
          body: { model: "gpt-4o-mini", messages: [{ role: "user", content: "Hi" }] },
        }
        : { key: "a", request: { contents: [{ role: "user", parts: [{ text: "Hi" }] }] } };
      const text = `${JSON.stringify(record)}\n`;
      const natives: string[] = [];
      for (let n = 0; n < 3; n++) natives.push(await putNative[provider](sandbox, text));
      natives.sort();
      const [first = ""] = natives;

      const seen = await runClient<Seen>("native.py", [url, provider, first]);

      const mixed = (...own: string[]) => [...natives, ...own].sort();
      assert.deepEqual(seen.lists, {
        [provider]: natives,
        [`${provider}-files`]: mixed("a-first.jsonl", "z-last.jsonl"),
        "any-other": ["mine.jsonl"],
        "nobodys": [],
      });
      const all = mixed("a-first.jsonl", "z-last.jsonl");
      assert.deepEqual(seen.pages, [all.slice(0, 2), all.slice(2, 4), all.slice(4)]);
      assert.deepEqual(seen.prefixed, [first]);
      // In its own bucket and in any other: whoever may see it may name it.
      assert.deepEqual(seen.heads, [text.length, text.length]);
      if (provider === "openai") assert.equal(seen.get, null);
      else assert.ok(seen.get && seen.get.status >= 400 && seen.get.status < 500);
      assert.equal(seen.statuses.at(-1), "Completed");
      assert.deepEqual(seen.counts, [1, 1]);
      assert.equal(seen.echoed, `s3://${provider}/${first}`);
      // The job's results are no native files.
      const isNative = (key: string) => !key.endsWith(".out");
      assert.deepEqual(seen.afterJob.filter(isNative), natives);
      assert.equal(seen.deleted, 404);
      assert.deepEqual(seen.afterDelete.filter(isNative), natives.slice(1));
      const held = await heldFiles(sandbox, provider);
      assert.equal(held.includes(first.replace("files/", "")), false);
    }));
}
