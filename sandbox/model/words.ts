/** Words in the text of a record that decide how the simulated models end it. */

/** What befalls a record besides its answer. */
export type Ending =
  | { readonly kind: "answered" }
  /** The provider answers with this HTTP status. */
  | { readonly kind: "failed"; readonly status: FailedStatus }
  /** The batch ends before the record is reached. */
  | { readonly kind: "expired" };

/** HTTP statuses that a text can ask for. */
const failedStatuses = [400, 401, 403, 404, 408, 413, 429, 500, 503] as const;

/** One of {@linkcode failedStatuses}. */
export type FailedStatus = typeof failedStatuses[number];

/** Returns how a record with this text ends: `fail 429`, `expire this`, else it is answered. */
export function ending(text: string): Ending {
  const asked = Number(/\bfail (\d{3})\b/i.exec(text)?.[1]);
  const status = failedStatuses.find((each) => each === asked);
  if (status !== undefined) return { kind: "failed", status };
  return { kind: /\bexpire this\b/i.test(text) ? "expired" : "answered" };
}

/** Returns how many result lines a record with this text has: `lose this`, `answer twice`. */
export function resultLines(text: string): 0 | 1 | 2 {
  if (/\blose this\b/i.test(text)) return 0;
  return /\banswer twice\b/i.test(text) ? 2 : 1;
}

/** Words that change the answer of a model. */
export const modelWords = {
  /** The model declines in its own words, or a classifier stops it before the first one. */
  refuse: /\brefuse this\b/i,
  /** A classifier stops the model after a few words. */
  filter: /\bfilter this\b/i,
  /** Half of the input is read from the cache. */
  cached: /\bfrom cache\b/i,
  /** The model hides what it thinks, where the provider knows of hidden reasoning. */
  secretly: /\bthink secretly\b/i,
} as const;

/** Returns the tools that a text names by `use NAME`, twice for `use NAME twice`, in order. */
export function namedTools(text: string, names: readonly string[]): string[] {
  const found = names.flatMap((name) => {
    const pattern = new RegExp(`\\buse ${RegExp.escape(name)}(?![\\w-])( twice\\b)?`, "gi");
    return [...text.matchAll(pattern)].flatMap(({ index, 1: twice }) => {
      const use = { index, name };
      return twice === undefined ? [use] : [use, use];
    });
  });
  return found.sort((a, b) => a.index - b.index).map(({ name }) => name);
}
