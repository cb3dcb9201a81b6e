/**
 * Decides about a batch that its provider says is over, by what was seen of it: pure, and
 * apart from the reading that saw it and from the writing that follows.
 */
import { Failure, type FailureKind } from "../codecs/failure.ts";
import { isDiskFailure } from "../runtime/disk.ts";

/** For how long each doubt is left open, in milliseconds; then the job ends with what there is. */
export const patience = {
  /** Results that are counted and that no file holds, or that the provider says are not there. */
  late: 5 * 60_000,
  /** Results that the provider has, and refuses: it is down, or something in between is. */
  refused: 24 * 60 * 60_000,
  /** A batch that its provider says it does not have; a key of another project's says so of all. */
  missing: 60 * 60_000,
} as const;

/** Why a batch's word is not taken yet. */
export type Doubt = keyof typeof patience;

/** Long after a native batch's end what is missing is believed to be at once, in milliseconds. */
export const longAfter = 60 * 60_000;

/** Failures that stay, unless the question came too early. */
const lasting: ReadonlySet<FailureKind> = new Set([
  "not-found",
  "invalid",
  "unsupported",
  "too-large",
]);

/** Facts from a look at a batch that is over. */
export interface Evidence {
  /** It reports results that it does not name, and those that it names hold less than it counts. */
  readonly isShort: boolean;
  /** Why results, or some part of them, could not be read. */
  readonly errors: readonly unknown[];
  /** How long it has been in doubt, in milliseconds. */
  readonly waited: number;
  /** Others made it, and it has been over for long: nothing of it is still on its way. */
  readonly isOld: boolean;
}

/** Whether the job ends with what was read, or the batch is looked at once more, and why. */
export type Verdict =
  | { readonly do: "end" }
  | { readonly do: "wait"; readonly because: Doubt; readonly error?: unknown };

/** A job that does not end yet, and why. */
export type Wait = Extract<Verdict, { do: "wait" }>;

/** Decides what is to be done. */
export function verdictOf({ isShort, errors, waited, isOld }: Evidence): Verdict {
  // That the gateway itself fails, its disk or its catalog, says nothing of the results.
  const own = errors.find((error) => !(error instanceof Failure) || isDiskFailure(error));
  if (own !== undefined) return { do: "wait", because: "refused", error: own };
  const passing = errors.find((error) => !isLasting(error));
  const because: Doubt = passing === undefined ? "late" : "refused";
  if (errors.length === 0 && !isShort) return { do: "end" };
  if (waited >= patience[because] || isOld && because === "late") return { do: "end" };
  const error = passing ?? errors[0];
  return { do: "wait", because, ...(error !== undefined && { error }) };
}

/** Returns whether an error is one that asking again will hardly mend. */
export function isLasting(error: unknown): boolean {
  return error instanceof Failure && lasting.has(error.kind);
}

/** Returns whether a batch that its provider does not have is believed to be gone. */
export function isBelievedGone({ waited, isOld }: Pick<Evidence, "waited" | "isOld">): boolean {
  return isOld || waited >= patience.missing;
}
