/** JSON schemas, in the subset that each target takes. */
import type { Schema } from "../chat.ts";
import type { Raw } from "../json.ts";
import type { LossLog } from "../loss.ts";

/** A tool's schema for a target that takes plain JSON Schema and wants an object at its root. */
export function toolSchemaObject(schema: Schema | undefined, _log: LossLog): Raw {
  return schema?.raw ?? '{"type":"object","properties":{}}';
}

/** A schema of an answer for Converse: the text of the Anthropic subset. */
export function converseSchemaText(schema: Schema, _log: LossLog): Raw {
  return schema.raw;
}
