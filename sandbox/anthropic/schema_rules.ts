/** Which JSON schemas Claude follows to the letter: those of its subset. */
import type { Json } from "../context.ts";
import { isObject, type JsonObject, list, object } from "../json.ts";

const refused = [
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "pattern",
  "maxItems",
  "uniqueItems",
  "prefixItems",
  "oneOf",
  "not",
  "if",
  "patternProperties",
  "propertyNames",
] as const;

/** Returns why a schema cannot be followed; nothing where there is none. */
export function schemaFault(schema: Json | undefined): string | undefined {
  if (schema === undefined) return undefined;
  return firstFault(schema);
}

function firstFault(schema: Json): string | undefined {
  if (!isObject(schema)) return "output_config.format.schema: a schema must be an object";
  const wrong = ownFault(schema);
  if (wrong !== undefined) return `output_config.format.schema: ${wrong}`;
  for (const inner of innerSchemas(schema)) {
    const found = firstFault(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

function ownFault(schema: JsonObject): string | undefined {
  const name = refused.find((each) => schema[each] !== undefined);
  if (name !== undefined) return `For '${schema.type}' type, property '${name}' is not supported`;
  const { type, minItems } = schema;
  if (typeof minItems === "number" && minItems > 1) {
    return "For 'array' type, 'minItems' values other than 0 or 1 are not supported";
  }
  if (type === "object" && schema.additionalProperties !== false) {
    return "For 'object' type, 'additionalProperties' must be explicitly set to false";
  }
  const hasForm = ["type", "enum", "const", "anyOf", "allOf", "$ref"]
    .some((each) => schema[each] !== undefined);
  return hasForm ? undefined : "Schema type is required";
}

/** The schemas in a schema. */
function innerSchemas(schema: JsonObject): Json[] {
  return [
    ...Object.values(object(schema.properties)),
    ...Object.values(object(schema.$defs)),
    ...Object.values(object(schema.definitions)),
    ...(schema.items === undefined ? [] : [schema.items]),
    ...list(schema.anyOf),
    ...list(schema.allOf),
  ];
}
