/** Reading members of a request that may be absent or of another type than they should be. */
import type { Extra, Num } from "./chat.ts";
import type { Json, Raw } from "./json.ts";
import type { LossLog } from "./loss.ts";

/** A number; undefined where it is absent. Another type is refused. */
export function numberAt(parent: Json | undefined, name: string, log: LossLog): Num | undefined {
  const value = parent?.get(name);
  if (!value) return undefined;
  if (value.kind !== "number") log.refuse(value.at, `${name} is not a number`);
  const { raw, at } = value;
  return { raw, value: Number(raw), at };
}

/** A text, unescaped; undefined where it is absent. Another type is refused. */
export function textAt(parent: Json | undefined, name: string, log: LossLog): string | undefined {
  const value = parent?.get(name);
  if (!value) return undefined;
  if (value.text === undefined) log.refuse(value.at, `${name} is not a text`);
  return value.text;
}

/** A text as JSON; undefined where it is absent. Another type is refused. */
export function rawTextAt(parent: Json | undefined, name: string, log: LossLog): Raw | undefined {
  const value = parent?.get(name);
  if (!value) return undefined;
  if (value.kind !== "string") log.refuse(value.at, `${name} is not a text`);
  return value.raw;
}

/** An object; undefined where it is absent. Another type is refused. */
export function objectAt(parent: Json | undefined, name: string, log: LossLog): Json | undefined {
  const value = parent?.get(name);
  if (!value) return undefined;
  if (value.kind !== "object") log.refuse(value.at, `${name} is not an object`);
  return value;
}

/** The values of a list; empty where it is absent. Another type is refused. */
export function listAt(
  parent: Json | undefined,
  name: string,
  log: LossLog,
): readonly Json[] {
  const value = parent?.get(name);
  if (!value) return [];
  if (value.kind !== "array") log.refuse(value.at, `${name} is not a list`);
  return value.list;
}

/** Stop sequences: a list of texts, or one text. An empty list is absence. */
export function stopsAt(
  parent: Json | undefined,
  name: string,
  log: LossLog,
): { readonly raw: Raw; readonly at: number }[] {
  const value = parent?.get(name);
  if (!value) return [];
  const texts = value.kind === "string" ? [value] : listAt(parent, name, log);
  const stops: { raw: Raw; at: number }[] = [];
  for (const text of texts) {
    if (text.kind !== "string") log.refuse(text.at, `${name} holds something that is not a text`);
    stops.push({ raw: text.raw, at: text.at });
  }
  return stops;
}

/** Members of an object that are not among the known ones. */
export function othersOf(value: Json | undefined, known: ReadonlySet<string>): Extra[] {
  // Most records hold nothing unknown: they cost one look at each name.
  if (!hasOthers(value?.keys ?? [], known)) return [];
  return (value?.members() ?? []).flatMap(({ name, value }) =>
    known.has(name) ? [] : [{ name, raw: value.raw, at: value.at }]
  );
}

/** Reports members of an object that are not among the known ones, as left out. */
export function reportOthers(value: Json, known: ReadonlySet<string>, log: LossLog): void {
  for (const { name, at } of othersOf(value, known)) {
    log.dropped(at, `${name} has no counterpart at the target`);
  }
}

function hasOthers(names: readonly string[], known: ReadonlySet<string>): boolean {
  for (const name of names) if (!known.has(name)) return true;
  return false;
}

/** An extra of a member; undefined where it is absent. */
export function extraAt(parent: Json | undefined, name: string): Extra | undefined {
  const value = parent?.get(name);
  return value && { name, raw: value.raw, at: value.at };
}
