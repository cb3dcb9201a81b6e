/** What each kind takes in one batch, by its own documentation (November 2026). */
import type { BatchLimits } from "./provider.ts";
import type { defaultBaseUrls } from "./settings.ts";

const mebibyte = 2 ** 20;

/** Limits of one batch, by the kind of the provider. */
export const batchLimits: Readonly<Record<keyof typeof defaultBaseUrls, BatchLimits>> = {
  openai: { records: 50_000, bytes: 200 * mebibyte, recordBytes: 200 * mebibyte },
  // The file may have 2 GB; the number of records is not limited.
  gemini: { records: 1_000_000, bytes: 2_000_000_000, recordBytes: 100 * mebibyte },
  anthropic: { records: 100_000, bytes: 256 * mebibyte - 1_024, recordBytes: 32 * mebibyte },
};
