/** JSON schemas in the subset that Claude holds answers and strict tools to. */
import type { Json, Raw } from "../json.ts";
import { array, object } from "../raw.ts";
import type { Member } from "../raw.ts";
import { conversion } from "./notes.ts";
import type { Notes } from "./notes.ts";
import { typeOf, withWords } from "./nodes.ts";

/** A schema in Claude's subset, with notes of what it could not say. */
export const toAnthropic = conversion((root, notes) => new Writer(notes).node(root));

/** Formats that Claude holds to (@anthropic-ai/sdk 1.14, its schema transformer). */
const formats: ReadonlySet<string> = new Set([
  "date-time",
  "time",
  "date",
  "duration",
  "email",
  "hostname",
  "uri",
  "ipv4",
  "ipv6",
  "uuid",
]);
const kept: ReadonlySet<string> = new Set(["type", "enum", "const", "title", "required"]);
/** Keywords that are written as words of the description: Claude reads them there. */
const described: ReadonlySet<string> = new Set([
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "pattern",
  "minItems",
  "maxItems",
  "uniqueItems",
  "default",
  "format",
]);

class Writer {
  readonly #notes: Notes;

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  node(node: Json): Raw {
    if (node.kind !== "object" || node.members().length === 0) {
      this.#notes.approximated(node.at, "any value: sent as a text, since the target wants a type");
      return '{"type":"string"}';
    }
    const ref = node.get("$ref");
    if (ref) {
      for (const { name, value } of node.members()) {
        if (name !== "$ref" && name !== "$defs") {
          this.#notes.hint(value.at, `${name.slice(0, 40)} is not allowed beside a reference`);
        }
      }
      return object(["$ref", ref.raw], ["$defs", this.#map(node.get("$defs"))]);
    }
    const words: string[] = [];
    const members: Member[] = [];
    for (const { name, value } of node.members()) {
      if (name === "description") continue;
      const written = this.#keyword(name, value, words);
      if (written) members.push(written);
    }
    const description: Member = ["description", withWords(node.get("description"), words)];
    const closed: readonly Member[] = typeOf(node) === "object"
      ? [
        ["type", node.get("type") ? undefined : '"object"'],
        ["additionalProperties", "false"],
      ]
      : [];
    return object(...members, description, ...closed);
  }

  #keyword(name: string, value: Json, words: string[]): Member | undefined {
    switch (name) {
      case "properties":
      case "$defs":
      case "definitions":
        return [name, this.#map(value)];
      case "items":
        return [name, value.kind === "object" ? this.node(value) : undefined];
      case "anyOf":
      case "allOf":
        return [name, array(value.list.map((choice) => this.node(choice)))];
      case "oneOf":
        this.#notes.approximated(value.at, "anyOf in place of oneOf");
        return ["anyOf", array(value.list.map((choice) => this.node(choice)))];
      case "additionalProperties":
        if (value.flag !== false) {
          this.#notes.approximated(value.at, "closed: the target has no open objects");
        }
        return undefined;
    }
    if (kept.has(name)) return [name, value.raw];
    if (name === "minItems" && (value.raw === "0" || value.raw === "1")) return [name, value.raw];
    if (name === "format" && formats.has(value.text ?? "")) return [name, value.raw];
    if (name.startsWith("$") || name === "examples" || name === "propertyOrdering") {
      this.#notes.hint(value.at, `the target has no ${name.slice(0, 40)} in schemas`);
      return undefined;
    }
    const word = described.has(name) ? `${name}: ${shown(value)}` : `${name}: ${value.raw}`;
    words.push(word.slice(0, 500));
    this.#notes.approximated(value.at, `put into the description: the target does not hold to it`);
    return undefined;
  }

  #map(value: Json | undefined): Raw | undefined {
    return value && object(
      ...value.members().map(({ name, value }) => [name, this.node(value)] as const),
    );
  }
}

function shown(value: Json): string {
  return value.text ?? value.raw;
}
