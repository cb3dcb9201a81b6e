/**
 * A catalog whose file may be moved, deleted or replaced while it is open. What is written then goes
 * into a file that is never found again, and so must not be acknowledged.
 */
import { Failure } from "../codecs/failure.ts";
import { kvOver } from "./kv.ts";

/** What is done about a file that is missing. */
export interface PresenceDeps {
  /** Whether the file that was opened still has its name; asked before and after each commit. */
  readonly isPresent: () => boolean;
  /** Called once when the file is found missing, and once when it is there again. */
  readonly warn: (message: string) => void;
  /** What the catalog is called in messages. */
  readonly name: string;
}

/** A KV that writes nothing while its file is missing. */
export interface PresentKv {
  readonly kv: Deno.Kv;
  /** Throws `unavailable` while the file is missing. */
  mustBePresent(): void;
}

/** Makes such a KV; a look at the file takes a few microseconds. */
export function presentKv(kv: Deno.Kv, { isPresent, warn, name }: PresenceDeps): PresentKv {
  let wasPresent = true;

  function mustBePresent(): void {
    const isThere = isPresent();
    if (isThere !== wasPresent) {
      warn(isThere ? `${name} is there again` : `${name} ${missing}`);
    }
    wasPresent = isThere;
    if (!isThere) throw gone();
  }

  async function guarded<Result>(write: () => Promise<Result>): Promise<Result> {
    mustBePresent();
    const result = await write();
    mustBePresent();
    return result;
  }

  const present = kvOver(kv, {
    set: (key, value, options) => guarded(() => kv.set(key, value, options)),
    delete: (key) => guarded(() => kv.delete(key)),
    atomic() {
      const step = kv.atomic();
      const commit = step.commit.bind(step);
      return Object.assign(step, { commit: () => guarded(commit) });
    },
  });
  return { kv: present, mustBePresent };
}

const missing =
  "was moved, deleted or replaced while this gateway uses it: nothing is written any more. Put the " +
  "file back, or restart the gateway, which then uses what is in its place";

function gone(): Failure {
  return new Failure(
    "unavailable",
    "The gateway's catalog is missing, and nothing can be recorded. Try again when its operator has " +
      "restarted it",
    { retryAfterSeconds: 5 },
  );
}
