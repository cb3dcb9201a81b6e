/** The index of files by the time at which their provider forgets them. */
import type { ObjectEntry } from "./entries.ts";
import { keys, longId } from "./keys.ts";

/**
 * Adds to a step by which time an object's file is to be forgotten, where its provider gives a
 * time.
 */
export function writeExpiry(
  step: Deno.AtomicOperation,
  provider: string,
  { file, expiresAt }: Pick<ObjectEntry, "file" | "expiresAt">,
): void {
  if (expiresAt !== undefined) {
    // The value holds an id that has no room in the key.
    step.set(keys.expiry(expiresAt, provider, file), longId(file).id ?? true);
  }
}
