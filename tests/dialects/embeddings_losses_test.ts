/** What requests for embeddings hold besides what both services know. */
import assert from "node:assert/strict";
import { sent } from "./records.ts";

Deno.test("A member of an embedding request that the target does not know is reported", () => {
  const titan = { from: "bedrock-titan-embed", to: "openai-embeddings" } as const;
  const openai = { from: "openai-embeddings", to: "bedrock-titan-embed" } as const;
  const { losses } = sent('{"inputText":"a","dimensions":256,"inputType":"query","n":1.0}', titan);
  assert.deepEqual(losses, ["modelInput.inputType dropped", "modelInput.n dropped"]);
  const other = sent('{"model":"m","input":"a","input_type":"query","user":"u"}', openai);
  assert.deepEqual(other.losses, ["? body.user dropped", "body.input_type dropped"]);
});

Deno.test("An embedding request of known members loses nothing", () => {
  const titan = { from: "bedrock-titan-embed", to: "openai-embeddings" } as const;
  const body = '{"inputText":"a","dimensions":256,"normalize":true,"embeddingTypes":["float"]}';
  assert.deepEqual(sent(body, titan).losses, []);
});
