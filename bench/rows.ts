/** What is measured: rows of figures, and what they should be. */

/** What a row may tell. Times are in milliseconds, memory is in mebibytes. */
export type FigureName =
  | "medianMs"
  | "p99Ms"
  /** Requests a second, beside those of the reference in the same round. */
  | "ratio"
  /** CPU a request, in units of the bare pass-through's for a PutObject of 1 KB in the same round. */
  | "cpuUnits"
  /** What that unit was, in milliseconds of CPU. */
  | "unitMs"
  | "peakMb"
  /** Peak above that of the reference. */
  | "overReferenceMb"
  /** CPU a request while something else is done, beside what it is otherwise. */
  | "besideQuiet"
  /** Memory for each of many at once. */
  | "eachMb"
  /** Calls that providers got for each that a client sent. */
  | "providerCalls";

/** Figures by name; those that do not apply are left out. */
export type Figures = Readonly<Partial<Record<FigureName, number>>>;

/** What a figure should be. */
export interface Target {
  readonly figure: FigureName;
  readonly at: "least" | "most";
  readonly value: number;
}

/** A row of the table. */
export interface Row {
  /** As `--only` takes it. */
  readonly name: string;
  readonly title: string;
  readonly concurrency: number;
  /** Requests that were measured, over all rounds. */
  readonly requests: number;
  readonly gateway: Figures;
  /** What the figures are beside: the reference's name and its own figures. */
  readonly reference?: { readonly name: string; readonly figures: Figures };
  readonly nginx?: Figures;
  readonly targets: readonly Target[];
  readonly note?: string;
}

/** A target and whether it is met. */
export interface Verdict extends Target {
  readonly is: number;
  readonly met: boolean;
}

/** What became of a row's targets; one whose figure was not measured is left out. */
export function verdicts({ gateway, targets }: Row): Verdict[] {
  return targets.flatMap((target) => {
    const is = gateway[target.figure];
    if (is === undefined) return [];
    return [{
      ...target,
      is,
      met: target.at === "least" ? is >= target.value : is <= target.value,
    }];
  });
}

/** A figure should be this at the least. */
export const atLeast = (figure: FigureName, value: number): Target => ({
  figure,
  at: "least",
  value,
});

/** A figure should be this at the most. */
export const atMost = (figure: FigureName, value: number): Target => ({
  figure,
  at: "most",
  value,
});
