/** Which JSON schemas OpenAI follows to the letter (structured outputs). */
import type { Json } from "../context.ts";
import { isObject, type JsonObject, list, object, string } from "../json.ts";

const refused = [
  "allOf",
  "oneOf",
  "not",
  "if",
  "then",
  "else",
  "dependentRequired",
  "dependentSchemas",
  "patternProperties",
  "propertyNames",
  "prefixItems",
  "contains",
  "uniqueItems",
  "unevaluatedProperties",
  "minProperties",
  "maxProperties",
] as const;

/** Levels of objects that a schema may have. */
const maxDepth = 10;

/** Returns why a schema cannot be followed strictly. */
export function strictFault(schema: JsonObject): string | undefined {
  if (schema.anyOf !== undefined || schema.type !== "object") {
    return `schema must be a JSON Schema of 'type: "object"', got 'type: "${schema.type}"'.`;
  }
  return nodeFault(schema, [], 0);
}

function nodeFault(
  schema: Json,
  path: readonly string[],
  depth: number,
): string | undefined {
  const at = `In context=(${path.map((step) => `'${step}'`).join(", ")})`;
  if (!isObject(schema)) return `${at}, schema must be an object.`;
  if (depth > maxDepth) return `${at}, the schema has more than ${maxDepth} levels of nesting.`;
  const wrong = ownFault(schema, at);
  if (wrong !== undefined) return wrong;
  for (const [step, inner, deeper] of innerSchemas(schema)) {
    const found = nodeFault(inner, [...path, ...step], depth + deeper);
    if (found !== undefined) return found;
  }
  return undefined;
}

function ownFault(schema: JsonObject, at: string): string | undefined {
  const name = refused.find((each) => schema[each] !== undefined);
  if (name !== undefined) return `${at}, '${name}' is not permitted.`;
  const ref = schema.$ref;
  if (ref !== undefined) {
    if (!string(ref)?.startsWith("#")) return `${at}, reference must be local.`;
    const others = Object.keys(schema).filter((each) => !each.startsWith("$"));
    return others.length > 0
      ? `${at}, $ref cannot have keywords {'${others.join("', '")}'}.`
      : undefined;
  }
  const hasForm = ["type", "enum", "const", "anyOf"].some((each) => schema[each] !== undefined);
  if (!hasForm) return `${at}, schema must have a 'type' key.`;
  const types = list(schema.type).length > 0 ? list(schema.type) : [schema.type];
  if (types.includes("array") && schema.items === undefined) {
    return `${at}, array schema missing items.`;
  }
  if (!types.includes("object")) return undefined;
  if (schema.additionalProperties !== false) {
    return `${at}, 'additionalProperties' is required to be supplied and to be false.`;
  }
  const required = list(schema.required);
  const names = Object.keys(object(schema.properties));
  const missing = names.find((each) => !required.includes(each));
  if (missing === undefined) {
    const extra = required.find((each) => !names.includes(String(each)));
    return extra === undefined ? undefined : `${at}, Extra required key '${extra}' supplied.`;
  }
  return `${at}, 'required' is required to be supplied and to be an array including every key in ` +
    `properties. Missing '${missing}'.`;
}

type Inner = readonly [step: readonly string[], schema: Json, deeper: 0 | 1];

function innerSchemas(schema: JsonObject): Inner[] {
  const of = (name: string): Inner[] =>
    Object.entries(object(schema[name])).map(([key, inner]) => [[name, key], inner, 1]);
  return [
    ...of("properties"),
    ...of("$defs"),
    ...of("definitions"),
    ...(schema.items === undefined ? [] : [[["items"], schema.items, 1] as const]),
    ...list(schema.anyOf).map((inner, index): Inner => [["anyOf", `${index}`], inner, 0]),
  ];
}
