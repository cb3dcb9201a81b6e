/** What a conversion of a schema changed, apart from where the schema stands. */
import type { Schema } from "../chat.ts";
import type { Raw } from "../json.ts";
import { parseJson } from "../json.ts";
import type { LossLog } from "../loss.ts";

/** A change; `at` counts from the beginning of the schema. */
export interface Note {
  readonly kind: "dropped" | "approximated";
  readonly at: number;
  readonly reason: string;
  readonly hint: boolean;
}

/** Takes note of changes while a schema is converted. */
export class Notes {
  readonly notes: Note[] = [];

  dropped(at: number, reason: string): void {
    this.notes.push({ kind: "dropped", at, reason, hint: false });
  }

  approximated(at: number, reason: string): void {
    this.notes.push({ kind: "approximated", at, reason, hint: false });
  }

  hint(at: number, reason: string): void {
    this.notes.push({ kind: "dropped", at, reason, hint: true });
  }

  /** Whether something was changed that can change the answer. */
  get changesMeaning(): boolean {
    return this.notes.some(({ hint }) => !hint);
  }
}

/** A converted schema. */
export interface Converted {
  readonly raw: Raw;
  readonly notes: readonly Note[];
}

/** Reports what a conversion changed. */
export function report(schema: Schema, notes: readonly Note[], log: LossLog): void {
  for (const { kind, at, reason, hint } of notes) {
    // Inside of a text, or of a schema that was rewritten, places are not those of the line.
    const place = schema.inText || schema.form === "openapi" ? schema.at : schema.at + at;
    if (hint) log.hint(kind, place, reason);
    else log[kind](place, reason);
  }
}

/** How many converted schemas are remembered, and up to what size each. */
const maxRemembered = 64;
const maxRememberedLength = 65_536;

/**
 * Makes a conversion that remembers its results: the records of a batch repeat one schema thousands
 * of times.
 */
export function remembered<Result>(
  convert: (schema: Raw) => Result,
): (schema: Raw) => Result {
  const results = new Map<Raw, Result>();
  return (schema) => {
    const known = results.get(schema);
    if (known !== undefined) return known;
    const result = convert(schema);
    if (schema.length <= maxRememberedLength) {
      const [oldest] = results.keys();
      if (results.size >= maxRemembered && oldest !== undefined) results.delete(oldest);
      // A slice of a line would keep the whole line: this copy is flat.
      results.set(JSON.parse(JSON.stringify(schema)) as string, result);
    }
    return result;
  };
}

/** A conversion of a schema's text, remembered. */
export function conversion(
  convert: (root: ReturnType<typeof parseJson>, notes: Notes) => Raw,
): (schema: Raw) => Converted {
  return remembered((schema) => {
    const notes = new Notes();
    const raw = convert(parseJson(schema), notes);
    return { raw, notes: notes.notes };
  });
}
