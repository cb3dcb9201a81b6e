/** JSON schemas, in the subset that each target takes. */
import type { Format, FunctionTool, Schema } from "../chat.ts";
import type { Raw } from "../json.ts";
import type { LossLog } from "../loss.ts";

/** A tool's schema for a target that takes plain JSON Schema and wants an object at its root. */
export function toolSchemaObject(tool: FunctionTool, _log: LossLog, _strict: boolean): Raw {
  return tool.schema?.raw ?? '{"type":"object","properties":{}}';
}

/** A schema of an answer for Converse: the text of the Anthropic subset. */
export function converseSchemaText(schema: Schema, _log: LossLog): Raw {
  return schema.raw;
}

/** A tool's schema for OpenAI, and whether it may be held to it strictly. */
export function strictToolSchema(
  tool: FunctionTool,
  _log: LossLog,
): { readonly parameters: Raw | undefined; readonly strict: boolean } {
  return { parameters: tool.schema?.raw, strict: tool.strict === true };
}

/** OpenAI's form of the answer: `response_format` of chat, `text.format` of Responses. */
export function openaiFormat(
  format: Format | undefined,
  _api: "chat" | "responses",
  _log: LossLog,
): Raw | undefined {
  return format === undefined ? undefined : '{"type":"json_object"}';
}

/** Claude's form of the answer: `output_config.format`. */
export function claudeFormat(format: Format | undefined, _log: LossLog): Raw | undefined {
  return format?.schema?.raw;
}

/** A schema for Gemini, and which of its two fields takes it. */
export function geminiSchema(schema: Schema, _log: LossLog): Pick<Schema, "raw" | "form"> {
  return schema;
}
