/** Stopping a batch that may be over already. */
import { Failure } from "../codecs/failure.ts";
import { isTerminal } from "../codecs/job_status.ts";
import type { Call } from "./http.ts";
import type { Batch } from "./provider.ts";

/** The call that asks for a stop: it may be repeated, and 409 says that the batch is over. */
export function cancelCall(path: string, subject: string): Call {
  return { method: "POST", path, subject, idempotent: true, statuses: { 409: "conflict" } };
}

/**
 * Asks for a batch to be stopped. Providers refuse to stop one that is over, each with another
 * status and text, so after a refusal the batch itself is asked: over is `conflict`, already
 * stopping is success, anything else is `unavailable`.
 */
export async function stopBatch(ask: () => Promise<unknown>, get: () => Promise<Batch>) {
  try {
    await ask();
  } catch (refusal) {
    const refused = refusal instanceof Failure &&
      (refusal.kind === "invalid" || refusal.kind === "conflict");
    if (!refused) throw refusal;
    const batch = await get();
    if (batch.status === "Stopping") return;
    // A stop says nothing but which batch: the refusal is of a moment, such as that of its end.
    if (!isTerminal(batch.status)) throw busy(batch, refusal);
    throw new Failure(
      "conflict",
      `Batch ${batch.id} is over already (${batch.status}) and cannot be stopped.`,
      { cause: refusal },
    );
  }
}

function busy({ id }: Batch, cause: Failure): Failure {
  return new Failure(
    "unavailable",
    `The provider could not stop batch ${id} just now, although it is not over. Try again.`,
    { cause },
  );
}
