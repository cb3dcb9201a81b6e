/** More records that are right at their own provider: with little in them, or with too much. */
import { asked, chat, claude, converse, gemini, type HardRecord, user } from "./hard_records.ts";

/** The records. */
export const oddRecords: readonly HardRecord[] = [
  chat("a refusal without words, and a tool without a schema that is strict", {
    messages: [
      user,
      { role: "assistant", content: null, refusal: " " },
      { role: "user", content: "Again." },
    ],
    tools: [{ type: "function", function: { name: "f", strict: true } }],
    reasoning_effort: "xhigh",
  }),
  claude("a document without a word", {
    messages: [{
      role: "user",
      content: [
        { type: "document", source: { type: "text", media_type: "text/plain", data: "" } },
        { type: "text", text: "Sum it up." },
      ],
    }],
  }),
  gemini("a part of nothing beside a result, and a small budget", {
    contents: [
      ...asked,
      { role: "model", parts: [{ functionCall: { name: "f", args: {} } }] },
      { role: "user", parts: [{}, { functionResponse: { name: "f", response: {} } }] },
    ],
    tools: [{ functionDeclarations: [{ name: "f", description: "d" }] }],
    generationConfig: { thinkingConfig: { thinkingBudget: 100 } },
  }),
  chat("a limit that no other model takes", { messages: [user], max_completion_tokens: 100_000 }),
  converse("the same with a budget of thinking below it", {
    messages: [{ role: "user", content: [{ text: "x" }] }],
    inferenceConfig: { maxTokens: 200_000 },
    additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 150_000 } },
  }),
];
