/**
 * Whether a catalog's file is whole. Deno KV ends the process where it meets a damaged page
 * (measured with Deno 2.9.6), so the file is looked at before Deno KV has it.
 */
import { DatabaseSync } from "node:sqlite";

/**
 * What is wrong with a file, in SQLite's words; undefined where it is whole. Nothing is changed, and
 * other processes may go on using it.
 *
 * It reads the whole file: about a second a gigabyte where the system has it in memory, else what
 * the disk takes.
 */
export function damageOf(path: string): string | undefined {
  try {
    using database = new DatabaseSync(path, { readOnly: true });
    const row = database.prepare("PRAGMA quick_check(1)").get();
    const verdict = String(Object.values(row ?? {})[0] ?? "no answer");
    // A line of its own says which database: there is but one.
    return verdict === "ok" ? undefined : verdict.replace(/^\*\*\*.*\*\*\*\s*/, "");
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
