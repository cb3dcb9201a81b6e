/**
 * Whether a catalog's file is whole. Deno KV ends the process where it meets a damaged page
 * (measured with Deno 2.9.6), so the file is looked at before Deno KV has it.
 */
import { DatabaseSync } from "node:sqlite";

/** Why a file cannot be used. Only what is damaged has to be replaced. */
export interface FoundDamage {
  readonly kind: "damaged" | "unreadable";
  /** In SQLite's words. */
  readonly reason: string;
}

/** `SQLITE_CORRUPT` and `SQLITE_NOTADB`, below their extended codes (sqlite.org/rescode.html). */
const damageCodes: readonly number[] = [11, 26];

/**
 * Returns what is wrong with a file; undefined where it is whole. Nothing is changed, and other
 * processes may go on using it.
 *
 * It reads the whole file: about a second a gigabyte where the system has it in memory, else what
 * the disk takes.
 */
export function damageOf(path: string): FoundDamage | undefined {
  try {
    using database = new DatabaseSync(path, { readOnly: true });
    const row = database.prepare("PRAGMA quick_check(1)").get();
    const verdict = String(Object.values(row ?? {})[0] ?? "no answer");
    // A line of its own says which database: there is but one.
    const reason = verdict.replace(/^\*\*\*.*\*\*\*\s*/, "");
    return verdict === "ok" ? undefined : { kind: "damaged", reason };
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): FoundDamage {
  if (!(error instanceof Error)) return { kind: "unreadable", reason: String(error) };
  const code = "errcode" in error && typeof error.errcode === "number" ? error.errcode & 0xff : 0;
  return { kind: damageCodes.includes(code) ? "damaged" : "unreadable", reason: error.message };
}
