/** Creates that follow a put at once: a provider may not know everywhere yet what it just took. */
import { Failure } from "../codecs/failure.ts";
import type { FileId } from "../codecs/ids.ts";
import type { Account } from "../providers/provider.ts";
import type { JobTools } from "./deps.ts";

/** An input counts as just put for so long, in milliseconds. */
export const freshMilliseconds = 60_000;

/** Pauses between two tries, in milliseconds. */
const pauses = [250, 500, 1_000, 2_000, 3_000] as const;
/** After so many it is looked whether the provider does know the input: it may lack something else. */
const pausesUnlooked = 1;

/**
 * Asks for a batch, and again for some seconds while its input, which was just put, is refused as one
 * that is not there, or not yet ready.
 *
 * Throws the last refusal.
 */
export async function whenReady<Result>(
  { sleep, closing }: Pick<JobTools, "sleep" | "closing">,
  { files }: Account,
  input: FileId,
  create: () => Promise<Result>,
): Promise<Result> {
  let isLast = false;
  for (let tries = 0;; tries++) {
    try {
      return await create();
    } catch (error) {
      const pause = pauses[tries];
      if (pause === undefined || isLast || !isEarly(error)) throw error;
      const mayBeOther = tries >= pausesUnlooked && error.details.notReady !== true;
      isLast = mayBeOther && await isKnown();
      await sleep(pause);
      closing.throwIfAborted();
    }
  }

  async function isKnown(): Promise<boolean> {
    try {
      await files?.head(input, closing);
      return true;
    } catch (error) {
      return !(error instanceof Failure && error.kind === "not-found");
    }
  }
}

/**
 * Returns whether a refusal, which left no batch behind, may be one of an input that is too new.
 */
function isEarly(error: unknown): error is Failure {
  if (!(error instanceof Failure) || error.details.outcomeUnknown === true) return false;
  return error.kind === "not-found" || error.details.notReady === true;
}
