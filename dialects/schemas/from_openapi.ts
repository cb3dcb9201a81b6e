/** Gemini's schemas, a subset of OpenAPI's with types in upper case, as JSON schemas. */
import type { Json, Raw } from "../json.ts";
import { array, object, quote } from "../raw.ts";
import { snakeCase } from "../gemini/members.ts";
import { remembered } from "./notes.ts";
import { parseJson } from "../json.ts";

/** Sizes that Gemini writes as texts, since they are int64 there. */
const sizes = ["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"];
/** Keywords that mean the same in both. */
const same = ["title", "description", "pattern", "minimum", "maximum", "default", "example"];

/** A schema of Gemini's as a JSON schema. */
export const fromOpenapi: (schema: Raw) => Raw = remembered((schema) => write(parseJson(schema)));

function write(node: Json): Raw {
  const of = (name: string) => node.get(name) ?? node.get(snakeCase(name));
  const nullable = of("nullable")?.flag === true;
  const type = of("type")?.text?.toLowerCase();
  const format = of("format");
  const properties = of("properties");
  const values = of("enum")?.list.map(({ raw }) => raw);
  return object(
    [
      "type",
      type === undefined || type === "type_unspecified"
        ? undefined
        : nullable
        ? array([quote(type), '"null"'])
        : quote(type),
    ],
    ["format", format && format.text !== "enum" ? format.raw : undefined],
    ...same.map((name) => [name === "example" ? "examples" : name, rawOf(of(name), name)] as const),
    ["enum", values && array(nullable ? [...values, "null"] : values)],
    ...sizes.map((name) => [name, numberOf(of(name))] as const),
    ["properties", properties && writeProperties(properties, of("propertyOrdering"))],
    ["required", of("required")?.raw],
    ["items", mapped(of("items"))],
    ["prefixItems", listed(of("prefixItems"))],
    ["anyOf", listed(of("anyOf"), nullable && type === undefined)],
  );
}

function rawOf(value: Json | undefined, name: string): Raw | undefined {
  return value && name === "example" ? array([value.raw]) : value?.raw;
}

function numberOf(value: Json | undefined): Raw | undefined {
  const text = value?.text;
  return text !== undefined && /^\d+$/.test(text) ? text : value?.raw;
}

function mapped(value: Json | undefined): Raw | undefined {
  return value?.kind === "object" ? write(value) : value?.raw;
}

function listed(value: Json | undefined, nullable = false): Raw | undefined {
  if (!value) return undefined;
  const nodes = value.list.map((node) => mapped(node) ?? "{}");
  return array(nullable ? [...nodes, '{"type":"null"}'] : nodes);
}

function writeProperties(properties: Json, ordering: Json | undefined): Raw {
  const order = (ordering?.list ?? []).flatMap(({ text }) => text ?? []);
  const place = (name: string) => order.includes(name) ? order.indexOf(name) : order.length;
  const members = [...properties.members()].sort((a, b) => place(a.name) - place(b.name));
  return object(...members.map(({ name, value }) => [name, mapped(value)] as const));
}
