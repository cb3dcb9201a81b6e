/** The table `prices` of the configuration file: what models cost. */
import * as v from "valibot";

const amount = v.pipe(v.number(), v.minValue(0, "must not be negative"));

/** USD per million tokens, at batch price. */
export const price = v.object({
  input: amount,
  output: amount,
  cachedInput: v.exactOptional(amount),
});

const key = v.pipe(
  v.string(),
  v.nonEmpty("must not be empty"),
  v.regex(/^[^*]*\*?$/, "can have a * only at its end"),
);

/** The form of the table: by model, or the beginning of several and `*`. */
export const prices = v.record(key, price);
