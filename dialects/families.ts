/** What model families take and refuse, by name. It ages: a `models` entry of the configuration can say otherwise. */

/** Facts about a model that a writer of requests goes by. */
export interface ModelFacts {
  readonly family: "claude" | "nova" | "llama" | "gpt" | "gpt-oss" | "gemini" | "other";
  /** `one`: temperature or top-p, but not both. `none`: any sampling setting is refused. */
  readonly sampling: "all" | "one" | "none";
  /** Tokens that an answer may have at most, where the target wants to be told a limit. */
  readonly maxOutput: number;
  /** How it is asked to think: by a budget, by an effort, by a level (Gemini 3 and later), or not at all. */
  readonly thinking: "budget" | "effort" | "level" | "none";
  /** Whether thinking can be turned off. */
  readonly thinkingOff: boolean;
  /** Whether a last turn of the assistant is continued. */
  readonly prefill: boolean;
  /** Whether it takes a JSON schema for its answer. */
  readonly structured: boolean;
  /** Whether it takes stop sequences. */
  readonly stop: boolean;
  /** Whether it takes penalties of presence and frequency. */
  readonly penalties: boolean;
}
