/**
 * A KV on another machine, with an end to every wait.
 *
 * Deno's client repeats a call whose connection breaks, or that is answered with 5xx, every 0.2 to
 * 0.3 s for as long as the process lives, without an error (denokv `remote/lib.rs`, and measured
 * with Deno 2.9.6 and denokv 0.14.0). Nothing takes such a call back: a commit that was given up
 * here may go through minutes later, so its failure says that the outcome is unknown, and when it
 * is known.
 */
import { Failure } from "../codecs/failure.ts";
import { inTime } from "../runtime/in_time.ts";
import { kvOver } from "./kv.ts";

/** How long calls may take. */
export interface KvLimits {
  /** How long a call may take, in milliseconds. */
  readonly milliseconds: number;
  /** With so many calls given up and still under way, further ones are refused at once. */
  readonly maxHanging: number;
}

/** Makes a KV whose calls end in time: with `unavailable` where the other side does not answer. */
export function limitKv(kv: Deno.Kv, limits: KvLimits): Deno.Kv {
  let hanging = 0;

  /** Waits for a call's end, but not for ever. */
  async function timed<Result>(call: () => Promise<Result>, writes: boolean): Promise<Result> {
    if (hanging >= limits.maxHanging) throw unavailable();
    const outcome = call();
    try {
      const ended = await inTime(outcome.then((value) => ({ value })), limits.milliseconds);
      if (ended) return ended.value;
    } catch (error) {
      // What the client refuses by itself, such as a value that is too large.
      if (error instanceof TypeError) throw error;
      throw unavailable(writes ? Promise.resolve() : undefined, error);
    }
    hanging++;
    const ended = () => void hanging--;
    throw unavailable(writes ? outcome.then(ended, ended) : void outcome.then(ended, ended));
  }

  return kvOver(kv, {
    get: (key, options) => timed(() => kv.get(key, options), false),
    getMany: (keys, options) => timed(() => kv.getMany(keys, options), false),
    set: (key, value, options) => timed(() => kv.set(key, value, options), true),
    delete: (key) => timed(() => kv.delete(key), true),
    enqueue: (value, options) => timed(() => kv.enqueue(value, options), true),
    list<Value>(selector: Deno.KvListSelector, options?: Deno.KvListOptions) {
      const entries = kv.list<Value>(selector, options);
      return {
        get cursor() {
          return entries.cursor;
        },
        next: () => timed(() => entries.next(), false),
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },
    atomic() {
      const step = kv.atomic();
      const commit = step.commit.bind(step);
      step.commit = () => timed(commit, true);
      return step;
    },
  });
}

/** @param settled When it is known what became of a write. */
function unavailable(settled?: Promise<void>, cause?: unknown): Failure {
  return new Failure("unavailable", "The gateway's catalog does not answer; try again", {
    retryAfterSeconds: 5,
    ...(settled && { outcomeUnknown: true, settled }),
    ...(cause !== undefined && { cause }),
  });
}
