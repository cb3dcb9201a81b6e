/** Checks a request's members as AWS's front end does, with its words for what is wrong. */
import { Failure } from "../../codecs/failure.ts";
import type { Json } from "../context.ts";
import { isObject } from "../json.ts";

/** What a member must be. Lengths are of characters or items; ranges of numbers are inclusive. */
export type Constraint =
  | {
    readonly type: "string";
    readonly min?: number;
    readonly max?: number;
    /** Must match the whole value. */
    readonly pattern?: RegExp;
    readonly values?: readonly string[];
  }
  | { readonly type: "integer"; readonly min: number; readonly max: number }
  | {
    readonly type: "list";
    readonly min: number;
    readonly max: number;
    readonly item: Constraint;
  }
  | Structure;

/** An object; members that it does not name are passed over. */
export interface Structure {
  readonly type: "structure";
  readonly members: Readonly<Record<string, Constraint>>;
  readonly required?: readonly string[];
  /** Exactly one member must be there. */
  readonly union?: true;
}

const maxShownCharacters = 100;

/**
 * Checks a document.
 *
 * @throws {Failure} ValidationException that names every constraint that does not hold.
 */
export function validate(document: Json, structure: Structure): void {
  const errors = [...violations(document, structure, "")];
  if (errors.length === 0) return;
  const count = errors.length === 1
    ? "1 validation error detected"
    : `${errors.length} validation errors detected`;
  throw invalid(`${count}: ${errors.join("; ")}`);
}

/** A ValidationException. */
export function invalid(message: string): Failure {
  return new Failure("invalid", message, { bedrock: "ValidationException" });
}

function* violations(value: Json, constraint: Constraint, path: string): Generator<string> {
  const fails = (what: string) => {
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    const shown = text.slice(0, maxShownCharacters);
    return `Value '${shown}' at '${path}' failed to satisfy constraint: Member must ${what}`;
  };
  switch (constraint.type) {
    case "string": {
      if (typeof value !== "string") return yield fails("be a string");
      const { min = 0, max = Infinity, pattern, values } = constraint;
      if (value.length < min) yield fails(`have length greater than or equal to ${min}`);
      if (value.length > max) yield fails(`have length less than or equal to ${max}`);
      if (pattern !== undefined && !matchesWhole(value, pattern)) {
        yield fails(`satisfy regular expression pattern: ${pattern.source}`);
      }
      if (values !== undefined && !values.includes(value)) {
        yield fails(`satisfy enum value set: [${values.join(", ")}]`);
      }
      return;
    }
    case "integer":
      if (!Number.isInteger(value)) return yield fails("be an integer");
      if (Number(value) < constraint.min) {
        yield fails(`have value greater than or equal to ${constraint.min}`);
      }
      if (Number(value) > constraint.max) {
        yield fails(`have value less than or equal to ${constraint.max}`);
      }
      return;
    case "list": {
      if (!Array.isArray(value)) return yield fails("be a list");
      const { min, max, item } = constraint;
      if (value.length < min) yield fails(`have length greater than or equal to ${min}`);
      if (value.length > max) yield fails(`have length less than or equal to ${max}`);
      for (const [index, each] of value.slice(0, max).entries()) {
        yield* violations(each, item, `${path}.${index + 1}.member`);
      }
      return;
    }
    case "structure":
      yield* structureViolations(value, constraint, path, fails);
  }
}

function* structureViolations(
  value: Json,
  { members, required = [], union }: Structure,
  path: string,
  fails: (what: string) => string,
): Generator<string> {
  if (!isObject(value)) return yield fails("be an object");
  const inner = (name: string) => path === "" ? name : `${path}.${name}`;
  for (const name of required) {
    if ((value[name] ?? null) === null) {
      yield `Value null at '${inner(name)}' failed to satisfy constraint: Member must not be null`;
    }
  }
  const present = Object.keys(members).filter((name) => (value[name] ?? null) !== null);
  if (union && present.length !== 1) {
    yield fails(`have exactly one of the members [${Object.keys(members).join(", ")}]`);
  }
  for (const name of present) {
    const member = members[name];
    const content = value[name];
    if (member !== undefined && content !== undefined) {
      yield* violations(content, member, inner(name));
    }
  }
}

function matchesWhole(value: string, pattern: RegExp): boolean {
  return new RegExp(`^(?:${pattern.source})$`).test(value);
}
