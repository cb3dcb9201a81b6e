import assert from "node:assert/strict";
import { latin1OfUtf8, utf8OfLatin1 } from "../../codecs/latin1.ts";
import { geminiEnvelope, idIn } from "../../providers/gemini/envelope.ts";
import { openaiEnvelope } from "../../providers/openai/envelope.ts";

Deno.test("lines of OpenAI's output and error files are distinguished by their status", () => {
  const ok = {
    custom_id: "a",
    response: {
      status_code: 200,
      body: {
        usage: {
          prompt_tokens: 22,
          completion_tokens: 2,
          total_tokens: 24,
          prompt_tokens_details: { cached_tokens: 16 },
        },
      },
    },
    error: null,
  };
  assert.deepEqual(openaiEnvelope.result(ok), {
    id: "a",
    outcome: "success",
    inputTokens: 22,
    cachedInputTokens: 16,
    outputTokens: 2,
  });
  const usage = { input_tokens: 3, input_tokens_details: { cached_tokens: 1 } };
  const responses = openaiEnvelope.result({ response: { status_code: 200, body: { usage } } });
  assert.deepEqual([responses.inputTokens, responses.cachedInputTokens], [3, 1]);
  const outcomes = [
    { response: { status_code: 400, body: { error: {} } }, error: null },
    { response: null, error: { code: "server_error" } },
    { response: null, error: { code: "batch_expired" } },
    { response: null, error: { code: "batch_cancelled" } },
    {},
  ].map((line) => openaiEnvelope.result(line).outcome);
  assert.deepEqual(outcomes, ["error", "error", "unrun", "unrun", "error"]);
});

Deno.test("lines of Gemini's are known by key or metadata, and thoughts are output", () => {
  const response = {
    usageMetadata: {
      promptTokenCount: 15,
      cachedContentTokenCount: 9,
      candidatesTokenCount: 2,
      thoughtsTokenCount: 62,
    },
  };
  assert.deepEqual(geminiEnvelope.result({ key: "a", response }), {
    id: "a",
    outcome: "success",
    inputTokens: 15,
    cachedInputTokens: 9,
    outputTokens: 64,
  });
  const inline = { metadata: { key: "b" }, error: { code: 3 } };
  assert.deepEqual([geminiEnvelope.result(inline).id, geminiEnvelope.result(inline).outcome], [
    "b",
    "error",
  ]);
});

Deno.test("the id of an uploaded record is found at either end of its line, and nowhere else", () => {
  const find = (line: string) => {
    const text = latin1OfUtf8(line);
    // As if it stood within a chunk.
    const id = idIn(`{"key":"before"}\n${text}\n{"key":"behind"}`, 17, 17 + text.length);
    return id && JSON.parse(utf8OfLatin1(id));
  };
  const found = (line: string) => {
    const cut = find(`${line.slice(0, 40)}\0${line.slice(-40)}`);
    if (cut) assert.equal(find(line), cut);
    return line.length > 80 ? cut : find(line);
  };
  const long = "x".repeat(200);
  assert.equal(found(`{"key": "a\\"b", "request": {"text": "${long}"}}`), 'a"b');
  assert.equal(found(`{"request": {"text": "${long}"}, "metadata": {"key": "c"}}`), "c");
  assert.equal(found(`{"request": {"metadata": {"key": "c"}}}`), undefined);
  assert.equal(found(`{"request": {"text": "${long}", "metadata": {"key": "c"}}}`), undefined);
  assert.equal(found(`{"request": {"text": "${long}"}, "key": "c"}`), undefined);
  assert.equal(found('{"request": {}, "key": "short"}'), "short");
  assert.equal(found("no JSON"), undefined);
  assert.equal(found(`{"key":"ü 1","request":{"text":"${long}"}}`), "ü 1");
  assert.equal(found(`{"request":{"text":"${long}"},"metadata":{"key":"d"}}`), "d");
  assert.equal(found(`{"request":{"text":"${long}"},"metadata":{"key":"d\\"e"}}`), 'd"e');
  assert.equal(found(`{"request":{"text":"${long}"},"metadata":{"key":"\\"}}"}}`), '"}}');
  assert.equal(found(`  {"key" : "f", "request": {"text": "${long}"}}`), "f");
});
