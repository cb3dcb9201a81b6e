/**
 * The form that a provider's API wants of a request, and the first place where one differs from it.
 * The simulators read forms of their own: they share none with what the gateway writes.
 */
import type { Json } from "../context.ts";
import { isObject, type JsonObject } from "../json.ts";

/** What a value must be. Absent and null members are looked at by `required` only. */
export type Form =
  | { readonly is: "any" | "boolean" | "map" }
  | {
    readonly is: "text";
    readonly values?: readonly string[];
    /** Must match the whole value. */
    readonly pattern?: RegExp;
  }
  | { readonly is: "number"; readonly min?: number; readonly max?: number; readonly whole?: true }
  | { readonly is: "list"; readonly of: Form; readonly min?: number; readonly max?: number }
  | ObjectForm
  /** An object whose member `by` says which of the forms it has; other tags are passed over. */
  | {
    readonly is: "tagged";
    readonly by: string;
    /** The tag of an object without one. */
    readonly preset?: string;
    readonly forms: Readonly<Record<string, ObjectForm>>;
    /** A tag that is not among the forms is refused. */
    readonly closed?: true;
  }
  /** The first form that takes values of this kind. */
  | { readonly is: "either"; readonly of: readonly Form[] }
  /** A form that holds itself. */
  | { readonly is: "later"; readonly form: () => Form };

/** An object of members that are known. */
export interface ObjectForm {
  readonly is: "object";
  readonly members: Readonly<Record<string, Form>>;
  readonly required?: readonly string[];
  /** Exactly one member must be there. */
  readonly union?: true;
}

/** Where a request differs from its form, and how. */
export interface Misfit {
  readonly path: readonly (string | number)[];
  readonly kind: "unknown" | "missing" | "type" | "value" | "union";
  /** What was wanted, as the end of a sentence. */
  readonly want: string;
}

/** How member names are looked up: as they are, where absent. */
export type Spelling = (name: string) => string;

/** Returns the first place where a value differs from a form. */
export function misfit(
  value: Json | undefined,
  form: Form,
  spelling: Spelling = (name) => name,
  path: readonly (string | number)[] = [],
): Misfit | undefined {
  const wrong = (kind: Misfit["kind"], want: string): Misfit => ({ path, kind, want });
  switch (form.is) {
    case "any":
      return undefined;
    case "later":
      return misfit(value, form.form(), spelling, path);
    case "boolean":
      return typeof value === "boolean" ? undefined : wrong("type", "a boolean");
    case "map":
      return isObject(value) ? undefined : wrong("type", "an object");
    case "text":
      if (typeof value !== "string") return wrong("type", "a string");
      return textWant(value, form, wrong);
    case "number":
      if (typeof value !== "number") return wrong("type", form.whole ? "an integer" : "a number");
      return numberWant(value, form, wrong);
    case "list":
      if (!Array.isArray(value)) return wrong("type", "a list");
      if (value.length < (form.min ?? 0)) return wrong("value", `at least ${form.min} items`);
      if (value.length > (form.max ?? Infinity)) return wrong("value", `at most ${form.max} items`);
      return firstOf(value, (item, at) => misfit(item, form.of, spelling, [...path, at]));
    case "either": {
      const fitting = form.of.find((each) => misfit(value, each, spelling, path)?.path !== path);
      return fitting === undefined
        ? misfit(value, form.of.at(-1) ?? { is: "any" }, spelling, path)
        : misfit(value, fitting, spelling, path);
    }
    case "tagged": {
      if (!isObject(value)) return wrong("type", "an object");
      const tag = value[form.by] ?? form.preset;
      if (typeof tag !== "string") {
        return { path: [...path, form.by], kind: "missing", want: "a string" };
      }
      const inner = Object.hasOwn(form.forms, tag) ? form.forms[tag] : undefined;
      if (inner !== undefined) return members(value, inner, spelling, path, form.by);
      const want = Object.keys(form.forms).map((each) => `'${each}'`).join(", ");
      return form.closed
        ? { path: [...path, form.by], kind: "value", want: `one of ${want}` }
        : undefined;
    }
    case "object":
      return isObject(value) ? members(value, form, spelling, path) : wrong("type", "an object");
  }
}

function firstOf(
  items: readonly Json[],
  look: (item: Json, at: number) => Misfit | undefined,
): Misfit | undefined {
  for (const [at, item] of items.entries()) {
    const found = look(item, at);
    if (found !== undefined) return found;
  }
  return undefined;
}

function members(
  value: JsonObject,
  { members: known, required = [], union }: ObjectForm,
  spelling: Spelling,
  path: readonly (string | number)[],
  tag?: string,
): Misfit | undefined {
  const present = new Set<string>();
  for (const [spelled, inner] of Object.entries(value)) {
    const name = spelling(spelled);
    if (name === tag) continue;
    if (!Object.hasOwn(known, name)) {
      return { path: [...path, spelled], kind: "unknown", want: "a member that is known" };
    }
    if (inner === null) continue;
    present.add(name);
    const found = misfit(inner, known[name] ?? { is: "any" }, spelling, [...path, spelled]);
    if (found !== undefined) return found;
  }
  const missing = required.find((name) => !present.has(name));
  if (missing !== undefined) {
    return { path: [...path, missing], kind: "missing", want: "a value" };
  }
  return union && present.size !== 1
    ? { path, kind: "union", want: "exactly one member" }
    : undefined;
}

type Wrong = (kind: Misfit["kind"], want: string) => Misfit;

function textWant(
  value: string,
  { values, pattern }: { readonly values?: readonly string[]; readonly pattern?: RegExp },
  wrong: Wrong,
): Misfit | undefined {
  if (values !== undefined && !values.includes(value)) {
    return wrong("value", `one of ${values.map((each) => `'${each}'`).join(", ")}`);
  }
  if (pattern !== undefined && !new RegExp(`^(?:${pattern.source})$`, pattern.flags).test(value)) {
    return wrong("value", `a string that matches '^${pattern.source}$'`);
  }
  return undefined;
}

function numberWant(
  value: number,
  { min = -Infinity, max = Infinity, whole }: {
    readonly min?: number;
    readonly max?: number;
    readonly whole?: true;
  },
  wrong: Wrong,
): Misfit | undefined {
  if (whole && !Number.isInteger(value)) return wrong("type", "an integer");
  if (value < min) return wrong("value", `a number of at least ${min}`);
  return value > max ? wrong("value", `a number of at most ${max}`) : undefined;
}

/** Values that many forms hold. */
export const anything: Form = { is: "any" };
/** A string. */
export const text: Form = { is: "text" };
/** True or false. */
export const boolean: Form = { is: "boolean" };
/** An object of free members. */
export const map: Form = { is: "map" };

/** Makes a form of members that hold anything. */
export function open(...names: readonly string[]): Record<string, Form> {
  return Object.fromEntries(names.map((name) => [name, anything]));
}

/** Makes a string form of fixed values. */
export function oneOf(...values: readonly string[]): Form {
  return { is: "text", values };
}

/** Makes a list form. */
export function listOf(of: Form, min?: number, max?: number): Form {
  return {
    is: "list",
    of,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  };
}

/** Makes an object form. */
export function objectOf(
  known: Readonly<Record<string, Form>>,
  ...required: readonly string[]
): ObjectForm {
  return { is: "object", members: known, required };
}
