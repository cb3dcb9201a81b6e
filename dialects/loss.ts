/** What a translation could not carry over. */

/** `dropped`: left out; `approximated`: something near it was sent; `refused`: the record is not sent. */
export type LossKind = "dropped" | "approximated" | "refused";

/** A loss of a record, as it stands in the translation report. */
export interface Loss {
  readonly kind: LossKind;
  /** Where it stands in the line as it was sent, such as `modelInput.inferenceConfig.topK`. */
  readonly path: string;
  /** One sentence without its full stop: what was done, and why. Never a value of the record. */
  readonly reason: string;
  /** True where it cannot change the answer (cache points, metadata): it never fails a job. */
  readonly hint: boolean;
}

/** A record that the target cannot take: it is not sent, and gets an error line. */
export class RecordRefused extends Error {
  override readonly name = "RecordRefused";

  /**
   * @param at Where in the line the reason stands (`Json.at`); undefined: the whole record.
   * @param message One sentence that says why. Never a value of the record.
   * @param http The HTTP status that the error line bears: 400, or 413 where it is too large.
   */
  constructor(readonly at: number | undefined, message: string, readonly http: 400 | 413 = 400) {
    super(message);
  }
}

/** Takes note of what a reader or writer of a dialect cannot carry over. `at` is `Json.at`. */
export interface LossLog {
  /** Something that can change the answer was left out. */
  dropped(at: number, reason: string): void;
  /** Something that can change the answer was replaced by something near it. */
  approximated(at: number, reason: string): void;
  /** Something that cannot change the answer was left out or replaced. */
  hint(kind: "dropped" | "approximated", at: number, reason: string): void;
  /** Ends the translation of this record by throwing {@linkcode RecordRefused}. */
  refuse(at: number | undefined, reason: string): never;
}

/** A log for reading again what was read, and reported, before. */
export const ignoredLosses: LossLog = {
  dropped: () => {},
  approximated: () => {},
  hint: () => {},
  refuse: (at, reason) => {
    throw new RecordRefused(at, reason);
  },
};
