/** Memory of when providers were asked for jobs, and of the words that they used. */
import type { Clock } from "../runtime/clock.ts";
import type { Report } from "./run.ts";
import type { JobTools } from "./deps.ts";

/** A question that failed is not put again sooner, in milliseconds: all callers get the same answer. */
const failurePause = 1_000;
/** Jobs that are remembered before the old ones are dropped. */
const maxRemembered = 20_000;
/** Unknown words that are remembered as reported. */
const maxWords = 100;

/** Advice about a job: ask, or do not ask again yet. */
export type Recent = { readonly is: "polled" } | { readonly is: "failed"; readonly error: unknown };

/** Memory of one process; names are those of `nameOf`. */
export class PolledJobs {
  readonly #clock: Clock;
  readonly #pollMilliseconds: number;
  readonly #askedAt = new Map<string, number>();
  readonly #failed = new Map<string, { readonly at: number; readonly error: unknown }>();

  constructor({ clock, pollMilliseconds }: Pick<JobTools, "clock" | "pollMilliseconds">) {
    this.#clock = clock;
    this.#pollMilliseconds = pollMilliseconds;
  }

  /** The last question for a job; undefined where it is time for another. */
  recent(name: string): Recent | undefined {
    const now = this.#clock.uptime();
    const last = this.#askedAt.get(name);
    if (last !== undefined && now - last < this.#pollMilliseconds) return { is: "polled" };
    const failure = this.#failed.get(name);
    const pause = Math.min(this.#pollMilliseconds, failurePause);
    return failure && now - failure.at < pause ? { is: "failed", error: failure.error } : undefined;
  }

  /** Remembers that a provider answered, so many milliseconds ago. */
  answered(name: string, age = 0): void {
    this.#failed.delete(name);
    this.#prune(this.#askedAt, (at) => at, this.#pollMilliseconds);
    this.#askedAt.set(name, this.#clock.uptime() - age);
  }

  /** Remembers that a question failed. */
  failed(name: string, error: unknown): void {
    this.#prune(this.#failed, ({ at }) => at, failurePause);
    this.#failed.set(name, { at: this.#clock.uptime(), error });
  }

  forget(name: string): void {
    this.#askedAt.delete(name);
    this.#failed.delete(name);
  }

  /** Drops what is too old to matter, where there is much. */
  #prune<Value>(map: Map<string, Value>, at: (value: Value) => number, age: number): void {
    if (map.size < maxRemembered) return;
    const oldest = this.#clock.uptime() - age;
    for (const [name, value] of map) if (at(value) < oldest) map.delete(name);
  }
}

/** Words of providers for the state of a batch that are not known here. */
export class UnknownWords {
  readonly #warn: JobTools["warn"];
  readonly #words = new Set<string>();

  constructor({ warn }: Pick<JobTools, "warn">) {
    this.#warn = warn;
  }

  /** Reports such a word to the operator, once. */
  note(provider: string, { unknownStatus, rawStatus }: Report): void {
    if (!unknownStatus) return;
    const status = rawStatus.slice(0, 100);
    const word = JSON.stringify([provider, status]);
    if (this.#words.has(word) || this.#words.size >= maxWords) return;
    this.#words.add(word);
    this.#warn(
      "A provider calls a batch's state by an unknown word; the job counts as InProgress",
      { provider, status },
    );
  }
}
