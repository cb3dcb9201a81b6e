/** Work that several callers want: done once for all of them, and again where it failed. */

/** Pieces of work that are under way, by their names. */
export class SingleFlight<Result> {
  readonly #running = new Map<string, Promise<Result>>();

  /** The work of this name, where it is under way. */
  get(name: string): Promise<Result> | undefined {
    return this.#running.get(name);
  }

  /** Joins the work of this name, or begins it. A caller after its end begins it again. */
  run(name: string, work: () => Promise<Result>): Promise<Result> {
    const known = this.#running.get(name);
    if (known) return known;
    const result = work().finally(() => this.#running.delete(name));
    this.#running.set(name, result);
    return result;
  }

  /** Resolves once all that is under way now has ended, well or not. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running.values());
  }
}

/** A result that is kept once there is one. */
export interface Once<Result> {
  /** The result; work that is under way is joined, and work that failed is done again. */
  (): Promise<Result>;
  /** Whether there is a result, or work under way for one. */
  isBegun(): boolean;
  /** Drops the result: the next caller begins the work again. */
  forget(): void;
}

/** Makes work that is done when it is first asked for, and whose result, but no failure, is kept. */
export function once<Result>(work: () => Promise<Result>): Once<Result> {
  let kept: Promise<Result> | undefined;
  const result = (): Promise<Result> => {
    if (kept) return kept;
    const begun = work();
    kept = begun;
    begun.catch(() => {
      // What was begun since is other work.
      if (kept === begun) kept = undefined;
    });
    return begun;
  };
  return Object.assign(result, {
    isBegun: () => kept !== undefined,
    forget: () => void (kept = undefined),
  });
}
