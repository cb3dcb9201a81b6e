/** Bodies of whole JSONL records, one kibibyte each, in the forms that providers take. */

/** A kibibyte, a mebibyte, a gibibyte: what the cases are named after. */
export const kilo = 1024;
/** See {@linkcode kilo}. */
export const mega = 1024 * kilo;
/** See {@linkcode kilo}. */
export const giga = 1024 * mega;

const encoder = new TextEncoder();
const blockLines = 256;

/** A record of exactly one kibibyte, its line feed included. */
export function record(form: "chat" | "generate"): string {
  const filled = (text: string) =>
    JSON.stringify(
      form === "chat"
        ? {
          custom_id: "record-000001",
          method: "POST",
          url: "/v1/chat/completions",
          body: { model: "gpt-4o-mini", messages: [{ role: "user", content: text }] },
        }
        : { key: "record-000001", request: { contents: [{ parts: [{ text }] }] } },
    );
  const room = kilo - 1 - filled("").length;
  return `${filled("batch ".repeat(room).slice(0, room))}\n`;
}

/** Many records: a body of any number of kibibytes is this block, repeated and cut. */
export function block(form: "chat" | "generate"): Uint8Array {
  return encoder.encode(record(form).repeat(blockLines));
}
