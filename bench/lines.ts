/** Bodies of whole JSONL records, one kibibyte each, in the forms that providers take. */

/** A kibibyte, a mebibyte, a gibibyte: what the cases are named after. */
export const kilo = 1024;
/** See {@linkcode kilo}. */
export const mega = 1024 * kilo;
/** See {@linkcode kilo}. */
export const giga = 1024 * mega;

const encoder = new TextEncoder();
const blockLines = 256;

/** Forms of records: OpenAI's, Gemini's, and Converse's. */
export type RecordForm = "chat" | "generate" | "converse";

const forms: Readonly<Record<RecordForm, (text: string) => unknown>> = {
  chat: (text) => ({
    custom_id: "record-000001",
    method: "POST",
    url: "/v1/chat/completions",
    body: { model: "gpt-4o-mini", messages: [{ role: "user", content: text }] },
  }),
  generate: (text) => ({ key: "record-000001", request: { contents: [{ parts: [{ text }] }] } }),
  converse: (text) => ({
    recordId: "record-000001",
    modelInput: {
      messages: [{ role: "user", content: [{ text }] }],
      inferenceConfig: { maxTokens: 64 },
    },
  }),
};

/** A record of exactly one kibibyte, its line feed included. */
export function record(form: RecordForm): string {
  const filled = (text: string) => JSON.stringify(forms[form](text));
  const room = kilo - 1 - filled("").length;
  return `${filled("batch ".repeat(room).slice(0, room))}\n`;
}

/** Many records: a body of any number of kibibytes is this block, repeated and cut. */
export function block(form: RecordForm): Uint8Array {
  return encoder.encode(record(form).repeat(blockLines));
}
