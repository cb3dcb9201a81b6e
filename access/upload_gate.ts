/** How many uploads may be under way at one time, in this process. */

/** Counts uploads that are under way. */
export interface UploadGate {
  readonly limit: number;
  /** How many are under way. */
  underWay(): number;
  /** Lets one in; what is called, once, when it is over. undefined where there is no room. */
  enter(): (() => void) | undefined;
}

/** Makes a gate. */
export function createUploadGate(limit: number): UploadGate {
  let inside = 0;
  return {
    limit,
    underWay: () => inside,
    enter() {
      if (inside >= limit) return undefined;
      inside++;
      return () => inside--;
    },
  };
}
