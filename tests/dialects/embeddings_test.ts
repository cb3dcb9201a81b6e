/** Embeddings of OpenAI and of Titan, both ways. */
import assert from "node:assert/strict";
import { parseJson } from "../../dialects/json.ts";
import { targetModel } from "../../dialects/models.ts";
import { embeddingDialect } from "../../dialects/registry.ts";
import { translateRequest } from "../../dialects/translate.ts";
import { back, sent } from "./records.ts";

const openai = { from: "openai-embeddings", to: "bedrock-titan-embed" } as const;
const titan = { from: "bedrock-titan-embed", to: "openai-embeddings" } as const;

Deno.test("A record of two texts is two of Titan's, each with a number behind its id", () => {
  const line = parseJson(
    '{"custom_id":"e","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":["red","gr\\u00fcn"],"dimensions":256,"encoding_format":"base64"}}',
  );
  const model = targetModel({ id: "amazon.titan-embed-text-v2:0" });
  const result = translateRequest(line, "r0000001", { ...openai, model });
  assert(result.kind === "lines");
  assert.deepEqual(result.lines, [
    '{"recordId":"r0000001.0","modelInput":{"inputText":"red","dimensions":256,"normalize":true}}',
    '{"recordId":"r0000001.1","modelInput":{"inputText":"gr\\u00fcn","dimensions":256,"normalize":true}}',
  ]);
  assert.deepEqual(result.losses, []);
});

for (
  const [body, path] of [
    ['{"input":[1,2]}', "body.input[0]"],
    ['{"input":[[1,2]]}', "body.input[0]"],
    ['{"input":"a","dimensions":300}', "body.dimensions"],
  ] as const
) {
  Deno.test(`${body} is refused by Titan`, () => {
    const { losses, body: written } = sent(body, openai);
    assert.equal(written, undefined);
    assert.equal(losses.length, 1);
    assert(losses[0]?.startsWith(path) && losses[0].endsWith(" refused"), losses[0] ?? "");
  });
}

Deno.test("Titan's records become OpenAI's; vectors that are not of unit length are reported", () => {
  const { body, losses } = sent('{"inputText":"a","dimensions":512,"normalize":false}', titan);
  assert.match(body ?? "", /"input":"a".*"dimensions":512/);
  assert.equal(losses.length, 1);
  assert(losses[0]?.startsWith("modelInput.normalize "), losses[0] ?? "");
});

Deno.test("Vectors come back as numbers or as base64 of their floats", () => {
  const answer = '{"embedding":[0.6,-0.80],"inputTextTokenCount":3}';
  const numbers = back(answer, openai, '{"model":"m","input":"a"}').body;
  assert(numbers.includes('"embedding":[0.6,-0.80]'), numbers);
  assert(numbers.includes('"usage":{"prompt_tokens":3,"total_tokens":3}'), numbers);
  const packed = back(answer, openai, '{"model":"m","input":"a","encoding_format":"base64"}').body;
  assert(packed.includes('"embedding":"mpkZP83MTL8="'), packed);
  const titans = back(
    '{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.6,-0.80]}],"model":"m","usage":{"prompt_tokens":3,"total_tokens":3}}',
    titan,
  ).body;
  assert(titans.includes('"embedding":[0.6,-0.80]'), titans);
  assert(titans.includes('"inputTextTokenCount":3'), titans);
});

Deno.test("An answer that holds no vector is an error of its record", () => {
  for (const name of ["openai-embeddings", "bedrock-titan-embed"] as const) {
    assert.equal(embeddingDialect(name).readAnswer(parseJson("{}")).kind, "error");
  }
});
