/** JSON schemas as Gemini's subset of OpenAPI's schemas. */
import { parseJson } from "../json.ts";
import type { Json, Raw } from "../json.ts";
import { array, object, quote, someArray } from "../raw.ts";
import type { Member } from "../raw.ts";
import { conversion } from "./notes.ts";
import type { Notes } from "./notes.ts";
import { References, requiredOf, typeOf, typesOf } from "./nodes.ts";

/** A schema as Gemini's, with notes of what it could not say. */
export const toOpenapi = conversion((root, notes) => new Writer(root, notes).node(root));

const sizes = ["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"];
const kept = ["title", "description", "pattern", "minimum", "maximum"];
/** Formats that Gemini knows (litellm 1.110). */
const formats: ReadonlySet<string> = new Set(
  ["enum", "date-time", "int32", "int64", "float", "double"],
);
/** Keywords that cannot change what is answered. */
const silent: ReadonlySet<string> = new Set(
  ["$schema", "$id", "$comment", "$defs", "definitions", "examples", "deprecated"],
);
/** Keywords that are written below. */
const handled: ReadonlySet<string> = new Set([
  ...sizes,
  ...kept,
  ...silent,
  "type",
  "enum",
  "const",
  "properties",
  "required",
  "additionalProperties",
  "items",
  "prefixItems",
  "anyOf",
  "oneOf",
  "allOf",
  "$ref",
  "format",
  "default",
]);

class Writer {
  readonly #references: References;
  readonly #notes: Notes;

  constructor(root: Json, notes: Notes) {
    this.#references = new References(root);
    this.#notes = notes;
  }

  node(node: Json): Raw {
    if (node.kind === "boolean" || node.kind === "object" && node.members().length === 0) {
      this.#notes.approximated(node.at, "any value: sent as a text, since the target wants a type");
      return '{"type":"STRING"}';
    }
    const ref = node.get("$ref")?.text;
    if (ref !== undefined) return this.#reference(node, ref);
    const merged = this.#allOf(node);
    if (merged !== undefined) return merged;
    this.#reportOthers(node);
    const choices = this.#choices(node);
    if (choices !== undefined) return choices;
    return object(...this.#typed(node));
  }

  #reference(node: Json, ref: string): Raw {
    const written = this.#references.within(ref, (target) => this.node(target));
    for (const { name, value } of node.members()) {
      if (name === "$ref" || name === "description" || silent.has(name)) continue;
      this.#notes.dropped(value.at, `the target has no ${name.slice(0, 40)} beside a reference`);
    }
    if (written !== undefined) return described(written, node.get("description")?.raw);
    this.#notes.approximated(node.at, "a reference that cannot be written out: an open object");
    return '{"type":"OBJECT"}';
  }

  /** Merges the objects of `allOf`; undefined where there is none. */
  #allOf(node: Json): Raw | undefined {
    const all = node.get("allOf")?.list ?? [];
    const [only] = all;
    if (only === undefined) return undefined;
    if (all.length === 1 && !node.get("properties")) return this.node(only);
    const targets = all.map((one) => {
      const ref = one.get("$ref")?.text;
      return ref === undefined ? one : this.#references.find(ref) ?? one;
    });
    const objects = [...targets, node].filter((one) => one.get("properties"));
    if (objects.length < all.length) {
      this.#notes.dropped(node.at, "the target cannot combine these with allOf");
      return object(...this.#typed(node));
    }
    const members = objects.flatMap((one) => one.get("properties")?.members() ?? []);
    const properties = members.map(({ name, value }) => [name, this.node(value)] as const);
    const required = [...new Set(objects.flatMap(requiredOf))];
    return object(
      ["type", '"OBJECT"'],
      ["description", node.get("description")?.raw],
      ["properties", object(...properties)],
      ["required", someArray(required.map(quote))],
    );
  }

  #reportOthers(node: Json): void {
    for (const { name, value } of node.members()) {
      if (name.startsWith("x-") || silent.has(name)) {
        if (name !== "$defs" && name !== "definitions") {
          this.#notes.hint(value.at, `the target has no ${name.slice(0, 40)} in schemas`);
        }
      } else if (!handled.has(name)) {
        this.#notes.dropped(value.at, `the target has no ${name.slice(0, 40)} in schemas`);
      }
    }
    const more = node.get("additionalProperties");
    if (more?.flag === false) this.#notes.hint(more.at, "the target closes objects by itself");
    else if (more) this.#notes.dropped(more.at, "the target has no open objects");
  }

  /** `anyOf`, `oneOf`, and lists of types: with null among them, the rest may be null. */
  #choices(node: Json): Raw | undefined {
    const one = node.get("oneOf");
    const given = node.get("anyOf") ?? one;
    if (one && given === one) {
      this.#notes.approximated(one.at, "anyOf in place of oneOf");
    }
    const named = typesOf(node).filter((type) => type !== "null");
    const nullable = typesOf(node).includes("null");
    const nodes = given?.list.filter((choice) => typesOf(choice).join() !== "null");
    if (!nodes) {
      if (named.length < 2) return undefined;
      const types = named.map((type) => object(["type", quote(type.toUpperCase())]));
      return this.#anyOf(node, types, nullable);
    }
    const isNullable = nullable || nodes.length < (given?.list.length ?? 0);
    const [only] = nodes;
    if (only && nodes.length === 1) {
      const written = this.node(only);
      return isNullable ? `${written.slice(0, -1)},"nullable":true}` : written;
    }
    return this.#anyOf(node, nodes.map((choice) => this.node(choice)), isNullable);
  }

  #anyOf(node: Json, choices: readonly Raw[], nullable: boolean): Raw {
    return object(
      ["description", node.get("description")?.raw],
      ["anyOf", array(choices)],
      ["nullable", nullable ? "true" : undefined],
    );
  }

  #typed(node: Json): readonly Member[] {
    const values = this.#values(node);
    const type = values?.type ?? typeOf(node) ?? "string";
    const nullable = typesOf(node).includes("null") || values?.nullable === true;
    if (typeOf(node) === undefined && values === undefined) {
      this.#notes.approximated(node.at, "any value: sent as a text, since the target wants a type");
    }
    return [
      ["type", quote(type.toUpperCase())],
      ["format", this.#format(node)],
      ...kept.map((name) => [name, node.get(name)?.raw] as const),
      ["enum", values && array(values.values)],
      ...sizes.map((name) => [name, sizeOf(node.get(name))] as const),
      ["default", node.get("default")?.raw],
      ...this.#object(node, type),
      ["items", type === "array" ? this.#items(node) : undefined],
      ["nullable", nullable ? "true" : undefined],
    ];
  }

  #format(node: Json): Raw | undefined {
    const format = node.get("format");
    if (!format || formats.has(format.text ?? "")) return format?.raw;
    this.#notes.hint(format.at, "the target does not know this format");
    return undefined;
  }

  /** The values of `enum` or `const`: texts only, as Gemini wants them. */
  #values(node: Json): {
    readonly type: string;
    readonly values: readonly Raw[];
    readonly nullable: boolean;
  } | undefined {
    const given = node.get("enum");
    const one = node.get("const");
    const all = given ? given.list : one ? [one] : undefined;
    if (!all || !(given ?? one)) return undefined;
    const at = (given ?? one)?.at ?? node.at;
    const values = all.filter(({ kind }) => kind !== "null");
    const texts = values.map((value) => value.kind === "string" ? value.raw : quote(value.raw));
    if (values.some(({ kind }) => kind !== "string")) {
      this.#notes.approximated(at, "the values as texts: the target takes no others");
    }
    if (texts.includes('""')) {
      this.#notes.dropped(at, "the target takes no empty text among values");
    }
    return {
      type: "string",
      values: texts.filter((text) => text !== '""'),
      nullable: values.length < all.length,
    };
  }

  #object(node: Json, type: string): readonly Member[] {
    const properties = node.get("properties");
    if (type !== "object" || !properties) return [];
    const members = properties.members();
    const names = new Set(members.map(({ name }) => name));
    const required = requiredOf(node).filter((name) => names.has(name));
    return [
      [
        "properties",
        object(...members.map(({ name, value }) => [name, this.node(value)] as const)),
      ],
      ["required", someArray(required.map(quote))],
    ];
  }

  #items(node: Json): Raw {
    const prefix = node.get("prefixItems")?.list ??
      (node.get("items")?.kind === "array" ? node.get("items")?.list : undefined);
    if (prefix && prefix.length > 0) {
      this.#notes.approximated(node.at, "any of these for each item: the target has no tuples");
      return object(["anyOf", array(prefix.map((item) => this.node(item)))]);
    }
    const items = node.get("items");
    if (items) return this.node(items);
    this.#notes.approximated(node.at, "items as texts: the target wants a type");
    return '{"type":"STRING"}';
  }
}

/** A schema with this description in the place of its own. */
function described(schema: Raw, description: Raw | undefined): Raw {
  if (description === undefined) return schema;
  const members = parseJson(schema).members().filter(({ name }) => name !== "description");
  return object(
    ...members.map(({ name, value }) => [name, value.raw] as const),
    ["description", description],
  );
}

/** Sizes are int64, which Gemini writes as texts. */
function sizeOf(value: Json | undefined): Raw | undefined {
  return value?.kind === "number" ? quote(value.raw) : undefined;
}
