/** What every answered request leaves behind: a line of the log, the figures, and the refusals. */
import { shortened } from "../../codecs/visible.ts";
import type { Metrics } from "../../metrics/metrics.ts";
import type { Answered } from "../entry.ts";
import type { RecentRefusals } from "./refusals.ts";

/** Where it goes. */
export interface AuditDeps {
  readonly log: { audit(fields: Readonly<Record<string, unknown>>): void };
  readonly metrics: Pick<Metrics, "count">;
  readonly refusals: Pick<RecentRefusals, "add">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Statuses of requests that were not let in, or not let do what they asked for. */
const refused: ReadonlySet<number> = new Set([401, 403, 429]);
/** Requests that could not be read as signed ones, or came too fast for S3, are refused too. */
const refusedCodes = /^(?:Authorization|Incomplete|InvalidToken|UnrecognizedClient|SlowDown)/;

/** Characters that are kept of the key of a refused request. */
const longestKey = 256;

/** Makes what is called for each request that was answered. */
export function createAudit({ log, metrics, refusals, now }: AuditDeps) {
  return (answer: Answered): void => {
    metrics.count(answer);
    const { requestId, accessKeyId, tenant, audit, status, bytesOut, durationMs } = answer;
    const { clientAddress, userAgent } = answer;
    const { bytesIn, errorCode, ...facts } = audit;
    const at = now();
    const time = new Date(at).toISOString();
    const counts = { status, bytesIn, bytesOut, durationMs };
    const sender = { clientAddress, userAgent, errorCode };
    const line = { level: "info", message: facts.operation ?? "request" };
    log.audit({ time, ...line, requestId, accessKeyId, tenant, ...facts, ...counts, ...sender });
    if (!refused.has(status) && !(errorCode !== null && refusedCodes.test(errorCode))) return;
    const { operation, bucket, provider } = facts;
    const key = facts.key === null ? null : shortened(facts.key, longestKey);
    const who = { at, requestId, accessKeyId, tenant, clientAddress };
    refusals.add({ ...who, operation, bucket, key, provider, status, errorCode });
  };
}
