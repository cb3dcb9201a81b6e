/** Counting what a job used, by provider and model. */
import type { RunUsage, TokenCounts } from "../catalog/usage_entries.ts";

/** Where records ran. */
export interface RanAt {
  readonly provider: string;
  readonly modelId: string;
}

/** Models with runs of their own: an entry of the catalog holds so many, whatever they are called. */
const mostRuns = 50;
/** The model of what is beyond them. */
const others = "others";

/** What a job used so far. */
export class Tally {
  readonly #runs = new Map<string, RunUsage>();

  /** Adds the tokens of one attempt at a record. */
  tokens(at: RanAt, { inputTokens, cachedInputTokens, outputTokens }: TokenCounts): void {
    const run = this.#run(at);
    this.#set({
      ...run,
      inputTokens: run.inputTokens + inputTokens,
      cachedInputTokens: run.cachedInputTokens + cachedInputTokens,
      outputTokens: run.outputTokens + outputTokens,
    });
  }

  /** Adds the result of a record. */
  result(at: RanAt, outcome: "succeeded" | "failed"): void {
    const run = this.#run(at);
    this.#set({ ...run, [outcome]: run[outcome] + 1 });
  }

  /** What was counted, a row for each provider and model. */
  runs(): readonly RunUsage[] {
    return [...this.#runs.values()];
  }

  #run({ provider, modelId: model }: RanAt): RunUsage {
    const found = this.#runs.get(nameOf({ provider, model }));
    if (found) return found;
    if (this.#runs.size < mostRuns || model === others) return { provider, model, ...nothing };
    return this.#run({ provider, modelId: others });
  }

  #set(run: RunUsage): void {
    this.#runs.set(nameOf(run), run);
  }
}

/** Nothing used. */
export const nothing = {
  succeeded: 0,
  failed: 0,
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
} as const;

function nameOf({ provider, model }: Pick<RunUsage, "provider" | "model">): string {
  return JSON.stringify([provider, model]);
}
