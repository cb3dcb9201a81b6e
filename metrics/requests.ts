/** Counts of the requests that were answered. */
import { durationBounds, labels, type Registry } from "./registry.ts";
import type { TenantLabel } from "./tenants.ts";

/** What is counted of an answer. */
export interface AnsweredRequest {
  readonly audit: {
    readonly operation: string | null;
    readonly provider: string | null;
    readonly bytesIn: number;
  };
  readonly tenant: string | null;
  readonly status: number;
  readonly bytesOut: number;
  readonly durationMs: number;
}

interface Labels {
  readonly request: string;
  readonly operation: string;
  readonly provider: string;
}

/** Returns what counts a request. Operations, providers and statuses are few, so figures are bounded. */
export function countRequests(
  registry: Registry,
  tenant: TenantLabel,
): (answer: AnsweredRequest) => void {
  const requests = registry.counter("batchway_requests_total", "Requests that were answered.");
  const durations = registry.histogram(
    "batchway_request_duration_seconds",
    "From a request's head to the end of its answer.",
    durationBounds,
  );
  const received = registry.counter("batchway_request_bytes_total", "Bytes of requests' bodies.");
  const sent = registry.counter("batchway_response_bytes_total", "Bytes of answers.");
  /** The labels of requests that are alike, which are written once. */
  const known = new Map<string, Labels>();

  function labelsOf({ audit, tenant: name, status }: AnsweredRequest): Labels {
    const [operation, provider] = [audit.operation ?? "none", audit.provider ?? "none"];
    const more = tenant(name);
    const like = `${operation} ${provider} ${status} ${more["tenant"]}`;
    const found = known.get(like);
    if (found) return found;
    const made = {
      request: labels({ operation, provider, status: `${status}`, ...more }),
      operation: labels({ operation }),
      provider: labels({ provider }),
    };
    known.set(like, made);
    return made;
  }

  return (answer) => {
    const { request, operation, provider } = labelsOf(answer);
    requests.add(request);
    durations.observe(operation, answer.durationMs / 1000);
    received.add(provider, answer.audit.bytesIn);
    sent.add(provider, answer.bytesOut);
  };
}
