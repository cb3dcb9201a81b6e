/** JSON schemas, in the subset that each target takes. */
import type { Format, FunctionTool, Schema } from "../chat.ts";
import { JsonError, parseJson } from "../json.ts";
import type { Json, Raw } from "../json.ts";
import type { LossLog } from "../loss.ts";
import { object, quote } from "../raw.ts";
import { fromOpenapi } from "./from_openapi.ts";
import { remembered, report } from "./notes.ts";
import { toAnthropic } from "./to_anthropic.ts";
import { toOpenapi } from "./to_openapi.ts";
import { toStrict } from "./to_strict.ts";

const openSchema = '{"type":"object","properties":{}}';
/** Of a tool without arguments that its target holds to them. */
const closedSchema = '{"type":"object","properties":{},"additionalProperties":false}';

/** A schema as JSON Schema has it, as it was written unless it is Gemini's. */
function jsonSchema(schema: Schema): Raw {
  return schema.form === "openapi" ? fromOpenapi(schema.raw) : schema.raw;
}

/** Refuses a schema that came as text and is not JSON. */
function checkText(schema: Schema, log: LossLog): void {
  if (!schema.inText) return;
  try {
    parseJson(schema.raw);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    log.refuse(schema.at, `the schema is ${error.message}`);
  }
}

/**
 * A tool's schema for a target that takes plain JSON Schema and wants an object at its root.
 *
 * @param strict Whether the target holds the tool to it strictly: then it is in Claude's subset.
 */
export function toolSchemaObject(tool: FunctionTool, log: LossLog, strict: boolean): Raw {
  const { schema } = tool;
  if (!schema) return strict ? closedSchema : openSchema;
  const raw = jsonSchema(schema);
  if (strict) {
    const { raw: converted, notes } = toAnthropic(raw);
    report(schema, notes, log);
    return converted;
  }
  const rooted = withObjectRoot(raw);
  if (rooted === openSchema && raw !== openSchema && parseJson(raw).members().length > 0) {
    log.approximated(schema.at, "an open object: the target wants an object at the root");
  }
  return rooted;
}

const withObjectRoot: (schema: Raw) => Raw = remembered((schema) => {
  const root = parseJson(schema);
  if (root.get("type")?.text === "object") return schema;
  if (root.get("type") || root.members().length === 0) return openSchema;
  return `{"type":"object",${schema.trimStart().slice(1)}`;
});

/** A schema of an answer for Converse: the text of a schema in Claude's subset. */
export function converseSchemaText(schema: Schema, log: LossLog): Raw {
  return anthropicSchema(schema, log);
}

function anthropicSchema(schema: Schema, log: LossLog): Raw {
  checkText(schema, log);
  const { raw, notes } = toAnthropic(jsonSchema(schema));
  report(schema, notes, log);
  return raw;
}

/** Reports the name and description of a schema, for targets that take neither. */
export function reportFormatWords(format: Format, log: LossLog): void {
  const { places, at } = format;
  for (const word of ["name", "description"] as const) {
    if (format[word] === undefined) continue;
    log.hint("dropped", places?.[word] ?? at, `the target takes no ${word} of a schema`);
  }
}

/** Claude's form of the answer: `output_config.format`. */
export function claudeFormat(
  format: Format | undefined,
  log: LossLog,
  structured: boolean,
): Raw | undefined {
  if (!format) return undefined;
  if (!format.schema) {
    log.dropped(format.at, "the target has no JSON without a schema; ask for JSON in the prompt");
    return undefined;
  }
  if (!structured) {
    log.dropped(format.at, "the model takes no schema of the answer; ask for JSON in the prompt");
    return undefined;
  }
  reportFormatWords(format, log);
  return object(["type", '"json_schema"'], ["schema", anthropicSchema(format.schema, log)]);
}

/** A tool's schema for OpenAI, and whether it may be held to it strictly. */
export function strictToolSchema(
  tool: FunctionTool,
  log: LossLog,
): { readonly parameters: Raw | undefined; readonly strict: boolean } {
  const { schema } = tool;
  const plain = schema && jsonSchema(schema);
  if (!tool.strict || !schema || plain === undefined) return { parameters: plain, strict: false };
  const converted = toStrict(plain);
  if ("refused" in converted) {
    const at = schema.form === "openapi" ? schema.at : schema.at + converted.at;
    log.dropped(at, `not strict: the target takes no ${converted.refused} there`);
    return { parameters: plain, strict: false };
  }
  report(schema, converted.notes, log);
  return { parameters: converted.raw, strict: true };
}

/** OpenAI's form of the answer: `response_format` of chat, `text.format` of Responses. */
export function openaiFormat(
  format: Format | undefined,
  api: "chat" | "responses",
  log: LossLog,
): Raw | undefined {
  if (!format) return undefined;
  if (!format.schema) return '{"type":"json_object"}';
  checkText(format.schema, log);
  const plain = jsonSchema(format.schema);
  // The sources that have no such setting hold the answer to the schema always: that is asking.
  const converted = format.strict === false ? undefined : toStrict(plain);
  const isStrict = converted !== undefined && "raw" in converted;
  if (converted && "refused" in converted) {
    const { schema } = format;
    const at = schema.form === "openapi" || schema.inText ? schema.at : schema.at + converted.at;
    log.dropped(at, `not strict: the target takes no ${converted.refused} there`);
  }
  if (isStrict) report(format.schema, converted.notes, log);
  const members = [
    ["name", quote(formatName(format, plain))],
    ["description", format.description],
    ["strict", isStrict ? "true" : undefined],
    ["schema", isStrict ? converted.raw : plain],
  ] as const;
  return api === "chat"
    ? object(["type", '"json_schema"'], ["json_schema", object(...members)])
    : object(["type", '"json_schema"'], ...members);
}

/** The name of a schema: the source's, else its title, fitted to OpenAI's characters. */
function formatName({ name }: Format, schema: Raw): string {
  const given = name ?? titleOf(schema) ?? "response";
  const fitted = given.replace(/[^a-zA-Z0-9_-]+/g, "_").slice(0, 64);
  return fitted === "" ? "response" : fitted;
}

const titleOf: (schema: Raw) => string | undefined = (schema) =>
  schema.includes('"title"') ? parseJson(schema).get("title")?.text : undefined;

/** Members of a schema that do not say that there are arguments. */
const withoutArguments: ReadonlySet<string> = new Set([
  "$schema",
  "additionalProperties",
  "description",
  "properties",
  "required",
  "title",
  "type",
]);

/**
 * Returns whether a tool's schema is that of an object without members: Gemini refuses it
 * (`properties: should be non-empty for OBJECT type`) and wants a function without parameters.
 */
export function isWithoutArguments({ raw, inText }: Schema): boolean {
  if (inText) return false;
  const root = parseJson(raw);
  const others = root.get("additionalProperties");
  return root.get("type")?.text?.toLowerCase() === "object" &&
    (root.get("properties")?.members().length ?? 0) === 0 &&
    (others === undefined || others.raw === "false") &&
    root.members().every(({ name }) => withoutArguments.has(name));
}

/** A schema for Gemini, and which of its two fields takes it. */
export function geminiSchema(schema: Schema, log: LossLog): Pick<Schema, "raw" | "form"> {
  checkText(schema, log);
  if (schema.form === "openapi") return schema;
  const converted = toOpenapi(schema.raw);
  const changes = converted.notes.some(({ hint }) => !hint);
  // In batches, the OpenAPI field is the one that is known to work best (ruby_llm#894); the other
  // one is taken where only it can say what the schema says.
  if (changes && fitsJsonField(schema.raw)) return { raw: schema.raw, form: "json-schema" };
  report(schema, converted.notes, log);
  return { raw: converted.raw, form: "openapi" };
}

/** Keywords that Gemini's field for JSON schemas holds to (@google/genai 3.3, vercel/ai#18325). */
const jsonFieldKeywords: ReadonlySet<string> = new Set([
  "$id",
  "$defs",
  "$ref",
  "$anchor",
  "type",
  "format",
  "title",
  "description",
  "enum",
  "items",
  "prefixItems",
  "minItems",
  "maxItems",
  "minimum",
  "maximum",
  "anyOf",
  "oneOf",
  "properties",
  "additionalProperties",
  "required",
]);

const fitsJsonField: (schema: Raw) => boolean = remembered((schema) => fits(parseJson(schema)));

function fits(node: Json): boolean {
  if (node.kind !== "object") return node.kind === "boolean";
  return node.members().every(({ name, value }) => {
    if (!jsonFieldKeywords.has(name)) return false;
    if (name === "properties" || name === "$defs") {
      return value.members().every((member) => fits(member.value));
    }
    if (name === "items" || name === "additionalProperties") return fits(value);
    if (name === "anyOf" || name === "oneOf" || name === "prefixItems") {
      return value.list.every(fits);
    }
    return name !== "$ref" || node.members().every((member) => member.name.startsWith("$"));
  });
}
