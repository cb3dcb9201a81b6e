/** Members of Gemini's objects, which may be spelled in camelCase or snake_case. */
import type { Json } from "../json.ts";

const snakes = new Map<string, string>();

/** The snake_case spelling of a member. */
export function snakeCase(name: string): string {
  const known = snakes.get(name);
  if (known !== undefined) return known;
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  snakes.set(name, snake);
  return snake;
}

/** A member by its camelCase name, in either spelling. */
export function member(parent: Json | undefined, name: string): Json | undefined {
  return parent?.get(name) ?? parent?.get(snakeCase(name));
}

/** The spelling of a member that an object has, for helpers that take one name. */
export function spelled(parent: Json | undefined, name: string): string {
  return parent?.get(name) ? name : snakeCase(name);
}

/** Both spellings of names. */
export function bothSpellings(...names: readonly string[]): ReadonlySet<string> {
  return new Set([...names, ...names.map(snakeCase)]);
}
