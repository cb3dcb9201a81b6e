/** What a client was told, and so what must be true in the end. */
import { createHash } from "node:crypto";

/** The providers of the run. */
export const providers = ["openai", "gemini"] as const;

/** One of them. */
export type ProviderName = typeof providers[number];

/** The bytes of an object. */
export interface Content {
  readonly text: string;
  readonly bytes: number;
  /** SHA-256, in hexadecimal. */
  readonly digest: string;
}

/** A put, or a deletion. Times are milliseconds since 1970. */
export interface Write {
  readonly content: Content | null;
  readonly startedAt: number;
  endedAt?: number;
  isAcknowledged?: true;
}

/** An object as clients know it. */
export interface ObjectModel {
  readonly provider: ProviderName;
  readonly key: string;
  /** What it may be now: one thing, unless a request was given up. `null` is no object. */
  may: (Content | null)[];
  /** The last client to write it has given up: nobody writes it any more. */
  retired: boolean;
  /** All that was done to it, in its order. */
  readonly writes: Write[];
  /** A backup brought back that it was there, and its file is perhaps gone. */
  mayLackFile?: boolean;
}

/** A create as its client knows it. */
export interface CreateModel {
  readonly provider: ProviderName;
  /** The job's name, unlike all others. */
  readonly name: string;
  readonly repeated: boolean;
  /** `unknown`: it was given up, or refused only after a try whose outcome nobody heard of. */
  outcome: "acknowledged" | "refused" | "unknown";
  arn?: string;
  /** The status that was told of it once it was over. */
  end?: string;
  /** Its client knows its outcome, or has given up. */
  isOver?: true;
  /** A rebuild has made it again, which does not know where its results were to go. */
  isRemade?: true;
}

/** Everything that clients know. */
export interface Model {
  readonly objects: ObjectModel[];
  readonly creates: CreateModel[];
  /** Files that were at a provider when a backup was brought back: some of them have no name. */
  readonly mayBeLeft: Set<string>;
  /** What must never be, and was. */
  readonly violations: string[];
  /** Counts of what was done, for the report. */
  readonly counts: Map<string, number>;
}

/** Knows nothing yet. */
export function createModel(): Model {
  return { objects: [], creates: [], mayBeLeft: new Set(), violations: [], counts: new Map() };
}

/** Counts something. */
export function count({ counts }: Model, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

/** Content that no other object has: so many records of a provider's batches. */
export function contentOf(provider: ProviderName, label: string, records: number): Content {
  const lines = Array.from({ length: records }, (_, n) =>
    JSON.stringify(
      provider === "gemini"
        ? { key: `r-${n}`, request: { contents: [{ parts: [{ text: label }] }] } }
        : {
          custom_id: `r-${n}`,
          method: "POST",
          url: "/v1/chat/completions",
          body: { model: "gpt-4o-mini", messages: [{ role: "user", content: label }] },
        },
    ));
  const text = `${lines.join("\n")}\n`;
  return { text, bytes: new TextEncoder().encode(text).length, digest: digestOf(text) };
}

/** SHA-256 in hexadecimal. */
export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
