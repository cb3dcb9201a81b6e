/** What the conversions of JSON schemas share: references, and the keywords of a node. */
import type { Json, Raw } from "../json.ts";
import { unquote } from "../raw.ts";

/** How often a schema that refers to itself is written out. */
const maxRefDepth = 4;
/** How many references of a schema are written out; each may hold others. */
const maxInlined = 500;
/** How many characters of a schema are written out in place of references. */
const maxInlinedLength = 1_000_000;
/** How many references within each other are written out: bounds the depth of the stack. */
const maxOpenRefs = 20;

/** Finds what local references of a schema stand for. */
export class References {
  readonly #root: Json;
  readonly #open: string[] = [];
  #written = 0;
  #length = 0;

  constructor(root: Json) {
    this.#root = root;
  }

  /** What `#/$defs/name` stands for; undefined where it is not local, or nothing is there. */
  find(ref: string): Json | undefined {
    if (ref === "#") return this.#root;
    if (!ref.startsWith("#/")) return undefined;
    let here: Json | undefined = this.#root;
    for (const step of ref.slice(2).split("/")) {
      const name = decodeStep(step);
      here = here?.kind === "array" ? here.list[Number(name)] : here?.get(name);
    }
    return here;
  }

  /**
   * Writes what a reference stands for in its place. Undefined where nothing is there, where it
   * refers to itself too often, or where the schema has grown too large.
   */
  within(ref: string, write: (target: Json) => Raw): Raw | undefined {
    const target = this.find(ref);
    const depth = this.#open.filter((open) => open === ref).length;
    if (!target || depth >= maxRefDepth || this.#open.length >= maxOpenRefs) return undefined;
    this.#length += target.end - target.at;
    if (this.#written >= maxInlined || this.#length > maxInlinedLength) return undefined;
    this.#written += 1;
    this.#open.push(ref);
    const raw = write(target);
    this.#open.pop();
    return raw;
  }
}

function decodeStep(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return step;
  }
}

/** The types that a node names, in lower case. */
export function typesOf(node: Json): string[] {
  const type = node.get("type");
  if (type?.text !== undefined) return [type.text.toLowerCase()];
  return (type?.list ?? []).flatMap(({ text }) => text === undefined ? [] : [text.toLowerCase()]);
}

/** The type that a node has, guessed from its keywords where it names none. */
export function typeOf(node: Json): string | undefined {
  const named = typesOf(node).filter((type) => type !== "null");
  if (named[0] !== undefined) return named[0];
  if (node.get("properties") || node.get("required")) return "object";
  if (node.get("items") || node.get("prefixItems")) return "array";
  return undefined;
}

/** The names of the properties that a node requires. */
export function requiredOf(node: Json): string[] {
  return (node.get("required")?.list ?? []).flatMap(({ text }) => text ?? []);
}

/** A description with more words behind it, as a JSON string. */
export function withWords(
  description: Json | undefined,
  words: readonly string[],
): Raw | undefined {
  const given = description?.kind === "string" ? description.raw : undefined;
  if (words.length === 0) return given;
  const added = `{${words.join(", ")}}`;
  return JSON.stringify(given === undefined ? added : `${unquote(given)}\n\n${added}`);
}
