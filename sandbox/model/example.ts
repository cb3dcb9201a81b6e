/** A JSON document that fits a schema, the same one each time. */
import type { Json } from "../context.ts";
import { isObject, type JsonObject, list, number, object, string } from "../json.ts";

/** Behind so many levels only what is required is written, so that recursion ends. */
const fullDepth = 4;
const maxDepth = 32;
const maxItems = 20;

/** Texts of the formats that JSON Schema names. */
const formats: Readonly<Record<string, string>> = {
  "date-time": "2026-01-01T00:00:00Z",
  date: "2026-01-01",
  time: "00:00:00Z",
  duration: "P1D",
  email: "name@example.com",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uri: "https://example.com/",
  uuid: "00000000-0000-4000-8000-000000000000",
};

/**
 * Returns a document that fits a schema, in JSON Schema or in Gemini's form with upper-case types.
 * A `pattern` is not followed, nor `not`, `if` and their kin.
 */
export function example(schema: Json): Json {
  return made(schema, schema, 0, 0);
}

/** `index` makes the items of a list differ from each other. */
function made(schema: Json, root: Json, depth: number, index: number): Json {
  if (!isObject(schema) || depth > maxDepth) return null;
  if (schema.const !== undefined) return schema.const;
  const choices = list(schema.enum);
  if (choices.length > 0) return choices[index % choices.length] ?? null;
  const ref = string(schema.$ref);
  if (ref !== undefined) return made(resolved(ref, root), root, depth + 1, index);
  const options = [...list(schema.anyOf), ...list(schema.oneOf)];
  if (options.length > 0) return made(chosen(options, depth), root, depth + 1, index);
  if (Array.isArray(schema.allOf)) return made(merged(schema, root), root, depth + 1, index);
  const maker = makers[typeOf(schema)];
  return maker === undefined ? "text" : maker(schema, root, depth, index);
}

/** The first option; further down the simplest one, so that recursion ends. */
function chosen(options: Json[], depth: number): Json {
  const simple = options.find((option) => {
    const type = typeOf(object(option));
    return isObject(option) && option.$ref === undefined && type !== "object" && type !== "array";
  });
  return (depth >= fullDepth ? simple : undefined) ?? options[0] ?? null;
}

function typeOf(schema: JsonObject): string {
  const types = typeof schema.type === "string" ? [schema.type] : list(schema.type);
  const names = types.map((type) => String(type).toLowerCase());
  const name = names.find((type) => type !== "null") ?? names[0];
  if (name !== undefined) return name;
  if (schema.properties !== undefined) return "object";
  return schema.items === undefined ? "" : "array";
}

function resolved(ref: string, root: Json): Json {
  if (!ref.startsWith("#")) return null;
  return ref.slice(1).split("/").slice(1).reduce<Json>((node, step) => {
    const name = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(node)) return node[Number(name)] ?? null;
    return isObject(node) && Object.hasOwn(node, name) ? node[name] ?? null : null;
  }, root);
}

function merged({ allOf, ...rest }: JsonObject, root: Json): JsonObject {
  const parts = list(allOf).map((part) => {
    const ref = string(object(part).$ref);
    return object(ref === undefined ? part : resolved(ref, root));
  });
  const all = [rest, ...parts];
  return {
    ...Object.assign({}, ...all),
    properties: Object.assign({}, ...all.map((each) => object(each.properties))),
    required: all.flatMap((each) => list(each.required)),
  };
}

type Maker = (schema: JsonObject, root: Json, depth: number, index: number) => Json;

const makers: Readonly<Record<string, Maker>> = {
  object: anObject,
  array: aList,
  string: aText,
  integer: (schema, _root, _depth, index) => aNumber(schema, 1, index),
  number: (schema, _root, _depth, index) => aNumber(schema, 1.5, index),
  boolean: (_schema, _root, _depth, index) => index % 2 === 0,
  null: () => null,
};

function anObject(schema: JsonObject, root: Json, depth: number, index: number): Json {
  const required = list(schema.required).map(String);
  const properties = object(schema.properties);
  const order = list(schema.propertyOrdering).map(String);
  const names = new Set([...order, ...Object.keys(properties), ...required]);
  const entries = [...names]
    .filter((name) => depth < fullDepth || required.includes(name))
    .filter((name) => Object.hasOwn(properties, name) || required.includes(name))
    .map((name): [string, Json] => {
      const inner = Object.hasOwn(properties, name) ? properties[name] ?? {} : {};
      return [name, made(inner, root, depth + 1, index)];
    });
  return Object.fromEntries(entries);
}

function aList(schema: JsonObject, root: Json, depth: number, _index: number): Json {
  const tuple = list(schema.prefixItems);
  const least = sizeOf(schema.minItems) ?? 0;
  const most = sizeOf(schema.maxItems) ?? maxItems;
  const wanted = Math.max(least, tuple.length, depth < fullDepth ? 1 : 0);
  return Array.from(
    { length: Math.min(wanted, most, maxItems) },
    (_, at) => made(tuple[at] ?? schema.items ?? {}, root, depth + 1, at),
  );
}

function aText(schema: JsonObject, _root: Json, _depth: number, index: number): Json {
  const format = string(schema.format) ?? "";
  if (Object.hasOwn(formats, format)) return formats[format] ?? "";
  const text = index === 0 ? "text" : `text ${index + 1}`;
  const least = Math.min(sizeOf(schema.minLength) ?? 0, 10_000);
  return text.padEnd(least, "x").slice(0, sizeOf(schema.maxLength) ?? Infinity);
}

function aNumber(schema: JsonObject, preset: number, index: number): number {
  const whole = typeOf(schema) === "integer";
  const step = number(schema.multipleOf) ?? (whole ? 1 : 0);
  const above = number(schema.exclusiveMinimum);
  const below = number(schema.exclusiveMaximum);
  const gap = step > 0 ? step : 0.5;
  const least = number(schema.minimum) ?? (above === undefined ? -Infinity : above + gap);
  const most = number(schema.maximum) ?? (below === undefined ? Infinity : below - gap);
  const value = Math.min(Math.max(preset + index * Math.max(step, 1), least), most);
  if (step === 0) return value;
  const rounded = Math.ceil(value / step) * step;
  return rounded > most ? Math.floor(most / step) * step : rounded;
}

/** Gemini writes sizes as strings, as int64 is written in proto3 JSON. */
function sizeOf(value: Json | undefined): number | undefined {
  const size = typeof value === "string" ? Number(value) : number(value);
  return size !== undefined && Number.isFinite(size) ? size : undefined;
}
