import assert from "node:assert/strict";
import { answerPatiently } from "../../../routes/s3/patient_answer.ts";

const declaration = '<?xml version="1.0" encoding="UTF-8"?>';
const document = `${declaration}<Result>done</Result>`;
const error = () => `${declaration}<Error><Code>SlowDown</Code></Error>`;
const quick = { patience: 1, pulse: 1 };
const slow = { patience: 60_000, pulse: 60_000 };

Deno.test("work that is done soon is answered plainly", async () => {
  const answer = await answerPatiently(Promise.resolve(document), error, slow);
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), document);
});

Deno.test("work that fails soon is thrown, for its own status", async () => {
  const work = Promise.reject(new Error("no"));
  await assert.rejects(answerPatiently(work, error, slow), /no/);
});

Deno.test("work that takes long begins with the declaration and blank space", async () => {
  const work = Promise.withResolvers<string>();
  const answer = await answerPatiently(work.promise, error, quick);
  assert.equal(answer.status, 200);
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.endsWith("  ")) text += (await reader?.read())?.value ?? "!";
  work.resolve(document);
  for (let part = await reader?.read(); !part?.done; part = await reader?.read()) {
    text += part?.value;
  }
  assert.match(text, /^<\?xml version="1.0" encoding="UTF-8"\?>\n {2,}<Result>done<\/Result>$/);
});

Deno.test("work that fails late ends in an error document", async () => {
  const work = Promise.withResolvers<string>();
  const answer = await answerPatiently(work.promise, error, quick);
  work.reject(new Error("late"));
  assert.match(await answer.text(), /^<\?xml[^>]*\?>\s+<Error><Code>SlowDown<\/Code><\/Error>$/);
});

Deno.test("work goes on when the client has gone, and its failure harms no other client", async () => {
  const work = Promise.withResolvers<string>();
  const answer = await answerPatiently(work.promise, error, quick);
  await answer.body?.cancel();
  work.reject(new Error("late"));
  await assert.rejects(work.promise);
});
