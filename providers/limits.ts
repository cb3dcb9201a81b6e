/** Limits of the batches of a provider: the kind's own, or smaller ones that were configured. */
import type { BatchLimits } from "./provider.ts";
import { batchLimits, type BatchLimitSettings } from "./settings.ts";

/** Limits of one batch at a provider of this kind: at most the kind's own. */
export function limitsOf(
  kind: keyof typeof batchLimits,
  { records, bytes, running }: BatchLimitSettings = {},
): BatchLimits {
  const own = batchLimits[kind];
  const most = Math.min(own.bytes, bytes ?? own.bytes);
  return {
    records: Math.min(own.records, records ?? own.records),
    bytes: most,
    recordBytes: Math.min(own.recordBytes, most),
    ...(running !== undefined && { running }),
  };
}
