/**
 * What model families take and refuse, by the names of their models. It ages: an entry of `models`
 * in the configuration can say otherwise, and a name that is newer than this table is taken for the
 * newest of its family. Sources: the providers' pages and vercel/ai and litellm, November 2026.
 */

/** Facts about a model that a writer of requests goes by. */
export interface ModelFacts {
  readonly family: "claude" | "nova" | "llama" | "gpt" | "gpt-oss" | "gemini" | "other";
  /** `one`: temperature or top-p, but not both. `none`: any sampling setting is refused. */
  readonly sampling: "all" | "one" | "none";
  /** Tokens that an answer may have at most: the limit where the target needs one, and its most. */
  readonly maxOutput: number;
  /** How it is asked to think: by a budget, by an effort, by a level (Gemini 3 and later), or not at all. */
  readonly thinking: "budget" | "effort" | "level" | "none";
  /** The least and the most tokens that a budget for thinking may have. */
  readonly budgets: readonly [least: number, most: number];
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

/** A model that nothing is known of: everything is sent, and the provider decides. */
const open: ModelFacts = {
  family: "other",
  sampling: "all",
  maxOutput: 8192,
  thinking: "none",
  budgets: [1, Infinity],
  thinkingOff: true,
  prefill: true,
  structured: true,
  stop: true,
  penalties: true,
};

const claude: ModelFacts = {
  ...open,
  family: "claude",
  sampling: "none",
  maxOutput: 128_000,
  thinking: "effort",
  budgets: [1024, Infinity],
  prefill: false,
  penalties: false,
};
const claudeBudget: ModelFacts = { ...claude, sampling: "one", thinking: "budget" };
const claude4: ModelFacts = {
  ...claudeBudget,
  sampling: "all",
  maxOutput: 64_000,
  prefill: true,
  structured: false,
};
const claude3: ModelFacts = { ...claude4, maxOutput: 8192, thinking: "none" };
const gpt: ModelFacts = {
  ...open,
  family: "gpt",
  sampling: "none",
  maxOutput: 128_000,
  thinking: "effort",
  prefill: false,
  penalties: false,
};
const gptPlain: ModelFacts = {
  ...open,
  family: "gpt",
  maxOutput: 16_384,
  prefill: false,
};
const nova: ModelFacts = {
  ...open,
  family: "nova",
  maxOutput: 10_000,
  structured: false,
  penalties: false,
};
const gemini: ModelFacts = {
  ...open,
  family: "gemini",
  maxOutput: 65_536,
  thinking: "level",
  thinkingOff: false,
  penalties: false,
};
/** Budgets: ai.google.dev, "Gemini thinking". */
const geminiBudget: ModelFacts = {
  ...gemini,
  thinking: "budget",
  budgets: [1, 24_576],
  thinkingOff: true,
  penalties: true,
};

/** The first pattern that fits decides; each family ends with its newest behaviour. */
const families: readonly (readonly [pattern: RegExp, facts: ModelFacts])[] = [
  [/claude-(?:v?1|v?2|instant)/, { ...claude3, maxOutput: 4096 }],
  [/claude-3-(?:opus|haiku|sonnet)/, { ...claude3, maxOutput: 4096 }],
  [/claude-3-7/, { ...claude3, maxOutput: 64_000, thinking: "budget" }],
  [/claude-3-/, claude3],
  [/claude-opus-4(?:-[01]\b|-2025|-v|@|$)/, { ...claude4, maxOutput: 32_000 }],
  [/claude-sonnet-4(?:-0\b|-2025|-v|@|$)/, claude4],
  [/claude-(?:opus|sonnet|haiku)-4-5/, {
    ...claudeBudget,
    maxOutput: 64_000,
    prefill: true,
  }],
  [/claude-(?:opus|sonnet)-4-6/, claudeBudget],
  [/claude-(?:fable|mythos)/, { ...claude, thinkingOff: false }],
  [/claude/, claude],
  [/nova-premier/, { ...nova, maxOutput: 32_000 }],
  [/nova-(?:micro|lite|pro)/, nova],
  [/nova/, {
    ...open,
    family: "nova",
    maxOutput: 65_535,
    thinking: "effort",
    structured: false,
    penalties: false,
  }],
  [/llama/, {
    ...open,
    family: "llama",
    maxOutput: 2048,
    structured: false,
    penalties: false,
  }],
  [/gpt-oss/, { ...open, family: "gpt-oss", maxOutput: 16_384, thinking: "effort" }],
  [/gpt-5[^/]*-chat/, gptPlain],
  [/(?:^|\/|:)(?:o3|o4)/, { ...gpt, maxOutput: 100_000, stop: false }],
  [/(?:^|\/|:)o1-mini/, { ...gpt, maxOutput: 65_536 }],
  [/(?:^|\/|:)o1-preview/, { ...gpt, maxOutput: 32_768 }],
  [/(?:^|\/|:)o\d/, { ...gpt, maxOutput: 100_000 }],
  [/gpt-4\.1/, { ...gptPlain, maxOutput: 32_768 }],
  [/gpt-(?:3\.5|4-turbo|4-(?:1106|0125|vision))/, { ...gptPlain, maxOutput: 4096 }],
  [/gpt-4(?:-0|-32k|$|:)/, { ...gptPlain, maxOutput: 8192 }],
  [/gpt-(?:3|4)/, gptPlain],
  [/(?:^|[/.:])(?:gpt-|chatgpt)/, gpt],
  [/gemini-(?:1|2\.0)/, { ...gemini, maxOutput: 8192, thinking: "none", penalties: true }],
  [/gemini-2\.5-pro/, { ...geminiBudget, budgets: [128, 32_768], thinkingOff: false }],
  [/gemini-2\.5-flash-lite/, { ...geminiBudget, budgets: [512, 24_576] }],
  [/gemini-2/, geminiBudget],
  [/gemini/, gemini],
];

/** Returns what is known of a model by its name. */
export function modelFacts(modelId: string): ModelFacts {
  const name = modelId.toLowerCase();
  return families.find(([pattern]) => pattern.test(name))?.[1] ?? open;
}

/** Names of facts that an entry of `models` may say. */
const factNames = [
  "sampling",
  "maxOutput",
  "thinking",
  "thinkingOff",
  "prefill",
  "structured",
  "stop",
  "penalties",
] as const satisfies readonly (keyof ModelFacts)[];

/** Facts that an entry of `models` says itself. */
export type StatedFacts = Partial<Pick<ModelFacts, typeof factNames[number]>>;

/** Returns whether a Gemini model wants the signature of a thought on the first call of a turn. */
export function wantsThoughtSignatures(modelId: string): boolean {
  return modelFacts(modelId).thinking === "level";
}
