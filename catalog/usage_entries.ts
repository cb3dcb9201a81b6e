/** Rows of usage as the catalog keeps them. */
import type { JobId } from "../codecs/ids.ts";

/** USD per million tokens, at batch price. */
export interface Price {
  readonly input: number;
  readonly output: number;
  /** Of tokens that came from a cache; `input` where absent. */
  readonly cachedInput?: number;
}

/** Counts of tokens. */
export interface TokenCounts {
  /** Cached ones among them. */
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  /** Those of thinking among them. */
  readonly outputTokens: number;
}

/** What a job used at one provider with one model. */
export interface RunUsage extends TokenCounts {
  readonly provider: string;
  readonly model: string;
  /** Records whose result is from here. */
  readonly succeeded: number;
  readonly failed: number;
  /** As it was when the job ended; absent where none was configured. */
  readonly price?: Price;
}

/** What a job used, which is over. */
export interface UsageEntry {
  /** Absent for the anonymous, and for adopted batches. */
  readonly accessKeyId?: string;
  /** The model that the job was to run with at its own provider, which counts the job. */
  readonly model: string;
  readonly runs: readonly RunUsage[];
}

/** A job that was forwarded to a provider, and whose usage is not recorded yet. */
export interface ForwardedEntry {
  readonly tenant: string;
  readonly accessKeyId?: string;
  readonly model: string;
  /** The s3Uri that its results go to. */
  readonly output: string;
  /** The account that must own the bucket of the output. */
  readonly owner?: string;
  readonly createdAt: number;
  /** When the provider is asked for it next. */
  readonly nextAt: number;
  /** How often its manifest was looked for without success. */
  readonly tries: number;
  /** The id that its access key's limits are reserved under; absent where the key has none. */
  readonly reservation?: JobId;
}
