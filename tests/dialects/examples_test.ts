/** One record of each kind there and back, whole lines beside whole lines. */
import assert from "node:assert/strict";
import { envelope } from "../../dialects/envelopes.ts";
import { parseJson } from "../../dialects/json.ts";
import { targetModel } from "../../dialects/models.ts";
import { envelopeOf, isDialectName } from "../../dialects/names.ts";
import type { DialectName } from "../../dialects/names.ts";
import { translateAnswer, translateRequest } from "../../dialects/translate.ts";
import examples from "./examples.json" with { type: "json" };

/** What each example loses, by its place in the list: `?` before what cannot change the answer. */
const losses: readonly (readonly string[])[] = [
  [
    "? modelInput.system[1].cachePoint dropped",
    "modelInput.additionalModelRequestFields.top_k dropped",
    "modelInput.inferenceConfig.stopSequences[4] dropped",
  ],
  [
    "? modelInput.toolConfig.tools[0].toolSpec.inputSchema.json.$schema dropped",
    "? modelInput.toolConfig.tools[0].toolSpec.inputSchema.json.additionalProperties dropped",
  ],
  [
    "? body.messages[4].content approximated",
    "? body.user dropped",
    "body.messages[5] approximated",
    "body.seed dropped",
    "body.temperature approximated",
  ],
  [
    "? body.messages[0].content[1].image_url.detail dropped",
    "? body.response_format.json_schema.name dropped",
    "body.logprobs dropped",
    "body.response_format.json_schema.schema.properties.n.minimum approximated",
  ],
  [
    "? modelInput.messages[1].content[0] dropped",
    "? modelInput.system[0].cache_control dropped",
  ],
  ["? body.input[1] dropped"],
  ["request.generationConfig.topK dropped", "request.safetySettings dropped"],
  [
    "? params.messages[0].content approximated",
    "? params.messages[0].content[0].title approximated",
    "? params.metadata.user_id dropped",
  ],
  [
    "? modelInput.messages[1] approximated",
    "modelInput.inferenceConfig.stopSequences[0] dropped",
    "modelInput.inferenceConfig.topP dropped",
  ],
];

function dialect(name: string): DialectName {
  assert(isDialectName(name), name);
  return name;
}

for (const [index, example] of examples.entries()) {
  const from = dialect(example.from);
  const to = dialect(example.to);
  const model = targetModel({ id: example.model });

  Deno.test(`A record of ${from} becomes one of ${to}: ${example.title}`, () => {
    const translated = translateRequest(parseJson(example.record), "r0000001", { from, to, model });
    assert(translated.kind === "lines");
    assert.deepEqual(translated.lines, [example.request]);
    const lost = translated.losses.map(({ hint, path, kind }) =>
      `${hint ? "? " : ""}${path} ${kind}`
    );
    assert.deepEqual(lost.sort(), losses[index]);
  });

  Deno.test(`An answer of ${to} becomes a result of ${from}: ${example.title}`, () => {
    const line = parseJson(example.record);
    const { id, outcome } = envelope(envelopeOf(to)).readResult(parseJson(example.answer));
    assert.equal(id, "r0000001");
    const translated = outcome.kind === "error"
      ? outcome
      : translateAnswer(outcome.body, "r0000001", () => line, {
        from,
        to,
        back: from,
        model: example.model,
        created: 1767225600,
        madeId: (wireId, prefix, count) => `${prefix}${wireId}${count === 0 ? "" : `_${count}`}`,
        lost: () => {},
      });
    const written = envelope(envelopeOf(from));
    const result = written.writeResult(
      { id: written.readId(line)?.raw ?? "null", input: '"…"', wireId: "r0000001" },
      translated,
    );
    assert.equal(result, example.result);
  });
}
