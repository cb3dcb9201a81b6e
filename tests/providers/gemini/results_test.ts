import assert from "node:assert/strict";
import { batchId } from "../../../codecs/ids.ts";
import { quiet } from "../harness.ts";
import { geminiAccount } from "./account.ts";

const id = batchId("batches/o6k1ogsv4ylk6jcfmgi5pdzm5s0dukmv3ehu");
const answers = [
  { metadata: { key: "a" }, response: { candidates: [] } },
  { metadata: { key: "b" }, error: { code: 3, message: "No." } },
];
const nested = { inlinedResponses: { inlinedResponses: answers } };
const embedded = { inlinedEmbedContentResponses: { inlinedResponses: answers } };

function operation(metadata: Record<string, unknown>, rest: Record<string, unknown> = {}) {
  return {
    name: id,
    metadata: {
      name: id,
      model: "models/gemini-2.5-flash",
      displayName: "night [batchway:m2abcdef1234]",
      inputConfig: { fileName: "files/abc-1" },
      createTime: "2026-07-02T14:40:59Z",
      state: "BATCH_STATE_SUCCEEDED",
      ...metadata,
    },
    ...rest,
  };
}

const file = { output: { responsesFile: "files/batch-o6k1" } };
const cases: readonly [string, Record<string, unknown>, readonly string[], boolean][] = [
  ["in its file", operation(file), ["files/batch-o6k1"], false],
  ["in its response's file", operation({}, { response: file.output }), ["files/batch-o6k1"], false],
  ["in a batch of a file, inline", operation({ output: nested }), ["inline"], false],
  ["in its response, inline", operation({}, { response: nested }), ["inline"], false],
  ["embeddings, inline", operation({ output: embedded }), ["inline"], false],
  ["nowhere yet", operation({}), [], true],
  [
    "nowhere yet, of some records",
    operation({ state: "BATCH_STATE_PARTIALLY_SUCCEEDED" }),
    [],
    true,
  ],
  ["nowhere, for it failed", operation({ state: "BATCH_STATE_FAILED" }), [], false],
  ["nowhere, for it was cancelled", operation({ state: "BATCH_STATE_CANCELLED" }), [], false],
];
for (const [where, told, parts, areMore] of cases) {
  Deno.test(`the results of a batch are ${where}`, async () => {
    await using one = geminiAccount(() => Response.json(told));
    const batch = await one.batches.get(id, quiet());
    const results = await one.batches.results(batch, quiet());
    assert.deepEqual(results.parts.map(({ name }) => name), parts);
    assert.equal(results.areMore ?? false, areMore);
    if (parts[0] !== "inline") return;
    const { body } = await one.batches.openResults(id, "inline", undefined, quiet());
    const lines = (await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text())
      .trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(lines, answers);
  });
}
