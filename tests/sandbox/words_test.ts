import { deepEqual } from "node:assert/strict";
import { type JsonObject, object } from "../../sandbox/json.ts";
import { withCaller as withAnthropic } from "./anthropic/caller.ts";
import { startAws } from "./aws.ts";
import { converseLine, create, get, results as bedrockResults } from "./bedrock/jobs.ts";
import { line as geminiLine, withCaller as withGemini } from "./gemini/caller.ts";
import { line, results, startBatch, withOpenAI } from "./openai/harness.ts";

/** Texts of the records a, b, c and so on. */
const texts = ["hi", "fail 429", "Please fail 500 now", "expire this", "lose this", "answer twice"];
const ids = ["a", "b", "c", "d", "e", "f"];

Deno.test("Words fail, lose and double records as OpenAI would", () =>
  withOpenAI(async ({ client, clock }) => {
    const body = (content = "") => ({ model: "gpt-4o", messages: [{ role: "user", content }] });
    const lines = ids.map((id, index) => line(id, { body: body(texts[index]) }));
    const { id } = await startBatch(client, lines);
    clock.advance(100);
    const batch = await client.batches.retrieve(id);
    const written = await results(client, batch.output_file_id);
    deepEqual(written.map(({ custom_id }) => custom_id).sort(), ["a", "f", "f"]);
    const errors = await results(client, batch.error_file_id);
    deepEqual(
      errors.map(({ custom_id, response, error }) => {
        const said = object(object(response?.body as JsonObject | undefined).error);
        return [custom_id, response?.status_code ?? error?.code, said.type, said.code];
      }),
      [
        ["b", 429, "requests", "rate_limit_exceeded"],
        ["c", 500, "server_error", null],
        ["d", "batch_expired", undefined, undefined],
      ],
    );
  }));

Deno.test("Words fail, lose and double records as Anthropic would", () =>
  withAnthropic(async ({ create, results, clock }) => {
    const batch = await create(ids.map((custom_id, index) => ({
      custom_id,
      params: {
        model: "claude-haiku-4-5",
        max_tokens: 10,
        messages: [{ role: "user", content: texts[index] }],
      },
    })));
    clock.advance(100);
    const found = await results(batch);
    deepEqual(
      found.map(({ custom_id, result }) => {
        const { error } = object(object(result as JsonObject).error);
        return [custom_id, object(error).type ?? result.type];
      }).sort(),
      [
        ["a", "succeeded"],
        ["b", "rate_limit_error"],
        ["c", "api_error"],
        ["d", "expired"],
        ["f", "succeeded"],
        ["f", "succeeded"],
      ],
    );
  }));

Deno.test("Words fail, lose and double records as Gemini would", () =>
  withGemini(async ({ call, store, run, clock }) => {
    const name = await run(
      await store(ids.map((id, index) => geminiLine(id, texts[index])).join("")),
    );
    clock.advance(110);
    await call("GET", `/v1beta/${name}`);
    const file = `files/batch-${name.slice("batches/".length)}`;
    const { text } = await call("GET", `/v1beta/${file}:download?alt=media`);
    const found = text.trimEnd().split("\n").map((each): JsonObject => JSON.parse(each));
    deepEqual(
      found.map(({ key, error }) => [key, object(error).code]),
      [["a", undefined], ["b", 8], ["c", 13], ["d", 4], ["f", undefined], ["f", undefined]],
    );
  }));

Deno.test("Words fail, lose and double records as Bedrock would", async () => {
  const aws = await startAws({ batchSeconds: 0 });
  const lines = ids.map((id, index) => converseLine(id, texts[index]));
  await aws.s3("PUT", "/bkt/in.jsonl", { body: lines.join("\n") });
  const job = await create(aws);
  await get(aws, job);
  const found = (await bedrockResults(aws, job)).map((each): JsonObject => JSON.parse(each));
  deepEqual(
    found.map(({ recordId, error }) => [recordId, object(error).errorCode]).sort(),
    [["a", undefined], ["b", 429], ["c", 500], ["d", 408], ["f", undefined], ["f", undefined]],
  );
});
