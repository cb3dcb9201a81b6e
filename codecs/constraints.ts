/** Checks of what a client sends, in the words in which AWS refuses it: every reason in one message. */
import * as v from "valibot";
import { Failure } from "./failure.ts";

/** Returns a value in the form of a schema. Throws `invalid` with every reason at once. */
export function checked<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value, { abortPipeEarly: true });
  if (result.success) return result.output;
  const reasons = result.issues.map(({ path, message }) => {
    // AWS counts the members of a list from 1.
    const place = path?.map(({ key }) => typeof key === "number" ? `${key + 1}.member` : key);
    const at = place ? `Value at '${place.join(".")}'` : "The request";
    return `${at} failed to satisfy constraint: ${message}`;
  });
  const count = `${reasons.length} validation error${reasons.length === 1 ? "" : "s"} detected`;
  throw new Failure("invalid", `${count}: ${reasons.join("; ")}`);
}

/** One of these texts. */
export function oneOf<const Values extends readonly string[]>(...values: Values) {
  return v.picklist(values, `Member must satisfy enum value set: [${values.join(", ")}]`);
}

/** A text that `parse` understands; the output is what it returns. */
export function parsed<Value>(parse: (text: string) => Value | undefined, rule: string) {
  return v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }): Value => {
      const value = parse(dataset.value);
      if (value !== undefined) return value;
      addIssue({ message: rule });
      return NEVER;
    }),
  );
}
