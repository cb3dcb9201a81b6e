/** JSON schemas in the subset that OpenAI holds answers and calls to strictly. */
import type { Json, Raw } from "../json.ts";
import { array, object, quote } from "../raw.ts";
import type { Member } from "../raw.ts";
import { Notes, remembered } from "./notes.ts";
import type { Note } from "./notes.ts";
import { parseJson } from "../json.ts";
import { requiredOf, typeOf, typesOf } from "./nodes.ts";

/** A strict schema, or the reason why there is none. */
export type Strict =
  | { readonly raw: Raw; readonly notes: readonly Note[] }
  | { readonly refused: string; readonly at: number };

/** A schema in the strict subset, or the first reason why it cannot be. */
export const toStrict: (schema: Raw) => Strict = remembered((schema) => {
  const writer = new Writer();
  try {
    const root = parseJson(schema);
    if (root.get("anyOf") ?? root.get("oneOf")) {
      throw new NotStrict(root.at, "a choice at its root");
    }
    return { raw: writer.node(root), notes: writer.notes.notes };
  } catch (error) {
    if (!(error instanceof NotStrict)) throw error;
    return { refused: error.message, at: error.at };
  }
});

class NotStrict extends Error {
  constructor(readonly at: number, message: string) {
    super(message);
  }
}

/** Keywords that strict schemas refuse (openai 7.59, its schema transformer). */
const refused: ReadonlySet<string> = new Set([
  "not",
  "if",
  "then",
  "else",
  "dependentRequired",
  "dependentSchemas",
  "dependencies",
  "patternProperties",
  "propertyNames",
  "contains",
  "minContains",
  "maxContains",
  "unevaluatedProperties",
  "unevaluatedItems",
  "uniqueItems",
  "minProperties",
  "maxProperties",
  "prefixItems",
]);

class Writer {
  readonly notes = new Notes();

  node(node: Json): Raw {
    if (node.kind !== "object") throw new NotStrict(node.at, "a schema that takes any value");
    if (node.get("$ref")) return this.#reference(node);
    const all = node.get("allOf")?.list ?? [];
    const [only] = all;
    if (only && all.length === 1 && node.members().length === 1) return this.node(only);
    const members: Member[] = [];
    for (const { name, value } of node.members()) {
      if (refused.has(name)) throw new NotStrict(value.at, name);
      members.push([name, this.#keyword(node, name, value)]);
    }
    if (typeOf(node) !== "object") {
      if (members.length === 0) throw new NotStrict(node.at, "a schema that takes any value");
      return object(...members);
    }
    const names = (node.get("properties")?.members() ?? []).map(({ name }) => name);
    return object(
      ...members.filter(([name]) => name !== "required" && name !== "additionalProperties"),
      ["properties", node.get("properties") ? undefined : "{}"],
      ["required", array(names.map(quote))],
      ["additionalProperties", "false"],
    );
  }

  #reference(node: Json): Raw {
    const ref = node.get("$ref");
    if (!ref?.text?.startsWith("#")) {
      throw new NotStrict(node.at, "a reference to another document");
    }
    const others = node.members().filter(({ name }) => name !== "$ref" && name !== "$defs");
    for (const { name, value } of others) {
      this.notes.hint(value.at, `${name.slice(0, 40)} is not allowed beside a reference`);
    }
    return object(["$ref", ref.raw], ["$defs", this.#defs(node.get("$defs"))]);
  }

  #defs(defs: Json | undefined): Raw | undefined {
    return defs && object(
      ...defs.members().map(({ name, value }) => [name, this.node(value)] as const),
    );
  }

  #keyword(node: Json, name: string, value: Json): Raw | undefined {
    switch (name) {
      case "properties":
        return this.#properties(node, value);
      case "additionalProperties":
        if (value.flag !== false) throw new NotStrict(value.at, "an open object");
        return "false";
      case "items":
        return this.node(value);
      case "anyOf":
        return array(value.list.map((choice) => this.node(choice)));
      case "oneOf":
      case "allOf":
        throw new NotStrict(value.at, name);
      case "$defs":
      case "definitions":
        return this.#defs(value);
      default:
        return value.raw;
    }
  }

  #properties(node: Json, properties: Json): Raw {
    const required = new Set(requiredOf(node));
    return object(
      ...properties.members().map(({ name, value }) => {
        const written = this.node(value);
        if (required.has(name)) return [name, written] as const;
        if (typesOf(value).includes("null")) return [name, written] as const;
        this.notes.approximated(value.at, "null where it may be left out: the target requires all");
        return [name, nullable(written)] as const;
      }),
    );
  }
}

function nullable(schema: Raw): Raw {
  return object(["anyOf", array([schema, '{"type":"null"}'])]);
}
