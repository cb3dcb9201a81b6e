/** Lines of another provider's form at one that gives no file back: refused at create, not after it. */
import assert from "node:assert/strict";
import { ledgerOf, withGateway } from "../clients/session.ts";

const messages = [{ role: "user", content: "Hello" }];
const contents = [{ role: "user", parts: [{ text: "Hello" }] }];
const openai = { custom_id: "a", method: "POST", url: "/v1/chat/completions", body: { messages } };

for (
  const [name, line, foreign] of [
    [
      "Converse",
      { recordId: "a", modelInput: { messages: [{ role: "user", content: [] }] } },
      "bedrock",
    ],
    [
      "a long record of Claude at Bedrock",
      {
        recordId: "a",
        modelInput: { anthropic_version: "v", messages, system: "é".repeat(100_000) },
      },
      "bedrock",
    ],
    ["OpenAI", openai, undefined],
    ["Anthropic", { custom_id: "a", params: { model: "claude", messages } }, undefined],
    ["Gemini", { key: "a", request: { contents } }, undefined],
    ["Gemini's older form", { request: { contents }, metadata: { key: "a" } }, undefined],
    ["no known form", { what: "ever" }, undefined],
  ] as const
) {
  Deno.test(`lines of ${name} at gemini are ${foreign ? "refused at create" : "the provider's to judge"}`, () =>
    withGateway(async ({ url, sandbox }) => {
      const headers = { "x-model-provider": "gemini" };
      const put = await fetch(`${url}/bedrock/files/bucket/input.jsonl`, {
        method: "PUT",
        // The provider has the lines, whatever they are.
        headers: { ...headers, "x-amz-meta-batchway-dialect": "native" },
        body: `\n${JSON.stringify(line)}\n`,
      });
      assert.equal(put.status, 200, await put.text());
      const created = await fetch(`${url}/bedrock/model-invocation-job`, {
        method: "POST",
        headers,
        body: JSON.stringify({
          jobName: "job",
          modelId: "gemini-2.5-flash",
          roleArn: "any",
          inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://bucket/input.jsonl" } },
          outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://bucket/output/" } },
        }),
      });
      const told = await created.json();
      if (foreign === undefined) return assert.equal(created.status, 200, told.message);
      assert.equal(created.status, 400);
      assert.equal(created.headers.get("x-amzn-errortype"), "ValidationException");
      assert.match(told.message, new RegExp(`form that ${foreign} reads, .* for gemini\\. Put`));
      assert.equal((await ledgerOf(sandbox)).holdings.gemini?.["batches"]?.items.length ?? 0, 0);
    }));
}
