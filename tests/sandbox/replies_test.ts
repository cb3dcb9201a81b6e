import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { anthropicReply } from "../../sandbox/anthropic/reply.ts";
import { converseReply } from "../../sandbox/bedrock/converse.ts";
import { geminiReply } from "../../sandbox/gemini/reply.ts";
import { complete, embedding, replyText, tokenCount } from "../../sandbox/replies.ts";

const facts = { id: "x1", createdAt: new Date("2026-11-23T12:00:00Z") };
const prompt = "What is 20 + 22? Answer briefly.";

Deno.test("Sums are right, however large", () => {
  equal(replyText(prompt), "20 + 22 = 42");
  equal(replyText("what is -5+2"), "-5 + 2 = -3");
  equal(
    replyText("What is 99999999999999999999 + 1?"),
    "99999999999999999999 + 1 = 100000000000000000000",
  );
});

Deno.test("Any other prompt is echoed with a hash of the whole of it", () => {
  const long = "é😀".repeat(1000);
  equal(replyText(long), replyText(long));
  notEqual(replyText(long).slice(0, 20), replyText(`${long}!`).slice(0, 20));
  match(replyText("Hello."), /^Reply [0-9a-f]{8}: Hello\.$/);
  equal(replyText(long).isWellFormed(), true);
});

Deno.test("A reply over the limit of tokens is cut there and says so", () => {
  const cut = complete("Hello.", "Hello.", 2);
  deepEqual([cut.truncated, cut.outputTokens, tokenCount(cut.text)], [true, 2, 2]);
  equal(complete("Hello.", "Hello.", 1000).truncated, false);
});

Deno.test("Each form holds the answer to what the user said last, and usage that adds up", () => {
  const messages = [
    { role: "user", content: "What is 1 + 1?" },
    { role: "assistant", content: "2" },
    { role: "user", content: [{ type: "text", text: prompt }] },
  ];
  const message = anthropicReply({ messages, max_tokens: 100 }, "claude", facts);
  deepEqual(message.content, [{ type: "text", text: "20 + 22 = 42" }]);

  const contents = [{ role: "user", parts: [{ text: prompt }] }];
  const gemini = geminiReply({ contents }, "models/gemini", facts) as {
    candidates: { content: unknown }[];
    usageMetadata: Record<string, number>;
    modelVersion: string;
  };
  deepEqual(gemini.candidates[0]?.content, { role: "model", parts: [{ text: "20 + 22 = 42" }] });
  const { promptTokenCount = 0, candidatesTokenCount = 0, totalTokenCount } = gemini.usageMetadata;
  equal(promptTokenCount + candidatesTokenCount, totalTokenCount);
  equal(gemini.modelVersion, "gemini");

  const converse = converseReply({ messages: [{ role: "user", content: [{ text: prompt }] }] });
  deepEqual(converse.output, {
    message: { role: "assistant", content: [{ text: "20 + 22 = 42" }] },
  });
});

Deno.test("An embedding is a unit vector that depends only on the text", () => {
  const vector = embedding("hello", 256);
  equal(vector.length, 256);
  deepEqual(vector, embedding("hello", 256));
  notEqual(vector[0], embedding("hello!", 256)[0]);
  equal(Math.abs(Math.hypot(...vector) - 1) < 1e-6, true);
});
