/** Counts of tokens. */
import type { Usage } from "./chat.ts";
import type { Json } from "./json.ts";

/** A count; 0 where it is absent or not a count. */
export function countAt(parent: Json | undefined, name: string): number {
  const value = parent?.get(name)?.number;
  return value !== undefined && value > 0 && Number.isSafeInteger(value) ? value : 0;
}

/** A count; undefined where it is absent or not a count. */
export function someCountAt(parent: Json | undefined, name: string): number | undefined {
  return parent?.get(name)?.number === undefined ? undefined : countAt(parent, name);
}

/** All tokens of a usage. */
export function totalOf({ input, cacheRead, cacheWrite, output }: Usage): number {
  return input + cacheRead + cacheWrite + output;
}

/** The tokens of the prompt, those from and to a cache among them. */
export function promptOf({ input, cacheRead, cacheWrite }: Usage): number {
  return input + cacheRead + cacheWrite;
}

/** No tokens. */
export const noUsage: Usage = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };
