/** What is shown while a provider cannot be asked: what was last known, and why it may be old. */
import { Failure } from "../../codecs/failure.ts";
import { inTime } from "../../runtime/in_time.ts";

/** A page does not wait longer for a provider, in milliseconds. */
const patience = 3_000;

/** What is known, and why its provider did not say more, if it did not. */
export interface Known<Value> {
  readonly value: Value;
  readonly trouble?: string;
}

/**
 * Waits for an answer for which a provider is asked. Where that fails, or takes long, the answer is
 * what the catalog knows. Throws the failure where it knows nothing.
 *
 * @param known Finds out what the catalog knows; undefined for nothing.
 */
export async function orLastKnown<Value>(
  provider: string,
  asked: Promise<Value>,
  known: () => Promise<Value | undefined>,
): Promise<Known<Value>> {
  let failure: unknown;
  try {
    const value = await inTime(asked, patience);
    if (value !== undefined) return { value };
    failure = new Failure("unavailable", `Provider ${provider} takes long to answer`);
  } catch (error) {
    failure = error;
  }
  if (!(failure instanceof Failure)) throw failure;
  const value = await known();
  if (value === undefined) throw failure;
  return { value, trouble: failure.message };
}
