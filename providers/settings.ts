/** Dependencies of every kind of provider: the configuration's settings, and the outside world. */
import type { BatchLimits } from "./provider.ts";
import type { Timeouts } from "./timeouts.ts";
import type { Uploader } from "./upload.ts";

/** The API of an upstream. */
export type ProviderKind = "openai" | "gemini" | "anthropic" | "bedrock";

/** Where the kinds live that have one host; with `/v1` for openai, without a version for the others. */
export const defaultBaseUrls = {
  openai: "https://api.openai.com/v1",
  gemini: "https://generativelanguage.googleapis.com",
  anthropic: "https://api.anthropic.com",
} as const satisfies Partial<Readonly<Record<ProviderKind, string>>>;

const mebibyte = 2 ** 20;

/** Limits of one batch for each kind, by its own documentation (November 2026). */
export const batchLimits: Readonly<
  Record<keyof typeof defaultBaseUrls, BatchLimits>
> = {
  openai: { records: 50_000, bytes: 200 * mebibyte, recordBytes: 200 * mebibyte },
  // The file may have 2 GB; the number of records is not limited.
  gemini: { records: 1_000_000, bytes: 2_000_000_000, recordBytes: 100 * mebibyte },
  anthropic: { records: 100_000, bytes: 256 * mebibyte - 1_024, recordBytes: 32 * mebibyte },
};

/** One API key of a provider, as configured. */
export interface AccountSettings {
  readonly name: string;
  /** Read for each request: it may change while the gateway runs. */
  readonly apiKey: string;
  /** What errors must not quote: the key, and those in its place before. The key where absent. */
  readonly secrets?: readonly string[];
  /** Its share of new files among the provider's accounts. */
  readonly weight: number;
}

/** Values that a service with OpenAI's API may want in other words. */
export interface BatchSettings {
  /** Within which time a batch shall run; `24h` where absent, OpenAI's only one. */
  readonly completionWindow?: string;
  /** What uploaded files are for; `batch` where absent. */
  readonly purpose?: string;
}

/** How large a batch may be, and how many of them run at one time. */
export interface BatchLimitSettings {
  readonly records?: number;
  readonly bytes?: number;
  readonly running?: number;
}

/** One provider, as configured. */
export interface ProviderSettings {
  /** The name that clients put into `x-model-provider`. */
  readonly name: string;
  readonly kind: ProviderKind;
  /** Where it is not the kind's own, in the form of {@linkcode defaultBaseUrls}. */
  readonly baseUrl?: string;
  /** Empty for bedrock, which finds its credentials in the environment. */
  readonly accounts: readonly AccountSettings[];
  /** Smaller limits of a batch than the kind's own. */
  readonly batchLimits?: BatchLimitSettings;
  /** Only for openai: services that want other words than OpenAI. */
  readonly batch?: BatchSettings;
  /** Only for bedrock: the region where a client signs for none. */
  readonly region?: string;
  /** Only for bedrock: S3 at another place than AWS's own; may hold a path. */
  readonly s3Endpoint?: string;
  /** Only for bedrock: its control plane at another place than AWS's own; may hold a path. */
  readonly bedrockEndpoint?: string;
}

/** The outside world, passed in so that tests need no patching. */
export interface ProviderDeps {
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  /** Milliseconds of a clock that is never set, for durations; `now` where absent. */
  readonly uptime?: () => number;
  /** Fills an array with random bytes, as `crypto.getRandomValues` does. */
  readonly random: (bytes: Uint8Array) => Uint8Array;
  /** Resolves after so many milliseconds; rejects with the signal's reason when it is aborted. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Bodies of exact length; its maker closes it. */
  readonly uploader: Uploader;
  /** The environment, for the AWS credentials. */
  readonly env?: (name: string) => string | undefined;
  readonly timeouts?: Timeouts;
  /** This gateway's id, which every call carries so that one that comes back is noticed. */
  readonly hop?: string;
  /** Called with the name of a provider that a request is sent to once more. */
  readonly retried?: (provider: string) => void;
  /** Reports an account that is not well in the log. */
  readonly warn?: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** A small and cheap model of each kind, for a first job (November 2026). */
export const cheapModels: Readonly<Record<string, string>> = {
  openai: "gpt-4o-mini",
  gemini: "gemini-2.5-flash",
  anthropic: "claude-haiku-4-5",
  bedrock: "us.anthropic.claude-haiku-4-5-20251001-v1:0",
};
