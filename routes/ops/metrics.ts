/** Counters of the gateway since its start, in the text form that Prometheus reads. */
import type { Provider } from "../../providers/provider.ts";
import { accountsOf } from "./health.ts";
import type { Answered } from "../entry.ts";

/** Counts what was answered. */
export interface Metrics {
  /** Takes a request that was answered. */
  count(answer: Answered): void;
  /** All figures as text. */
  render(now: Now): string;
}

/** Figures as they are at the moment. */
export interface Now {
  readonly providers: ReadonlyMap<string, Provider>;
  /** Uploads that are under way. */
  readonly uploads: number;
  /** Batches that wait until an account takes them, by provider. */
  readonly waiting: ReadonlyMap<string, number>;
}

/** Upper bounds of durations, in seconds. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

interface Labels {
  readonly operation: string;
  readonly provider: string;
  readonly status: string;
}

interface Durations {
  /** How many were at most as long as each bound. */
  readonly within: number[];
  count: number;
  milliseconds: number;
}

/** Makes metrics. Operations, providers and statuses are few, so that the figures are bounded. */
export function createMetrics(): Metrics {
  const requests = new Map<string, number>();
  const durations = new Map<string, Durations>();
  const bytes = { in: new Map<string, number>(), out: new Map<string, number>() };
  const add = (to: Map<string, number>, labels: string, more: number) =>
    to.set(labels, (to.get(labels) ?? 0) + more);
  /** The labels of requests that are alike, which are written once. */
  const known = new Map<string, Labels>();

  function labelsOf(operation: string, provider: string, status: number): Labels {
    const name = `${operation} ${provider} ${status}`;
    const found = known.get(name);
    if (found) return found;
    const made = {
      operation: label("operation", operation),
      provider: label("provider", provider),
      status: label("status", `${status}`),
    };
    known.set(name, made);
    return made;
  }

  return {
    count({ audit, status, bytesOut, durationMs }) {
      const labels = labelsOf(audit.operation ?? "none", audit.provider ?? "none", status);
      const { operation, provider } = labels;
      add(requests, `${operation},${provider},${labels.status}`, 1);
      add(bytes.in, provider, audit.bytesIn);
      add(bytes.out, provider, bytesOut);
      const those = durations.get(operation) ??
        { within: bounds.map(() => 0), count: 0, milliseconds: 0 };
      const seconds = durationMs / 1000;
      those.count++;
      those.milliseconds += durationMs;
      // From the greatest on, for each bound holds what the lesser ones hold.
      for (let at = bounds.length - 1; at >= 0 && seconds <= (bounds[at] ?? 0); at--) {
        those.within[at] = (those.within[at] ?? 0) + 1;
      }
      durations.set(operation, those);
    },
    render({ providers, uploads, waiting }) {
      const lines = [
        ...family("batchway_requests_total", "counter", "Requests that were answered.", requests),
        ...histogram(durations),
        ...family(
          "batchway_request_bytes_total",
          "counter",
          "Bytes of requests' bodies.",
          bytes.in,
        ),
        ...family("batchway_response_bytes_total", "counter", "Bytes of answers.", bytes.out),
        ...family(
          "batchway_uploads_in_flight",
          "gauge",
          "Uploads that are under way.",
          new Map([["", uploads]]),
        ),
        ...family(
          "batchway_batches_waiting",
          "gauge",
          "Batches of jobs that wait until the provider, or a limit, lets them start.",
          new Map(
            [...providers.values()].filter(({ stores }) => stores).map(({ name }) =>
              [label("provider", name), waiting.get(name) ?? 0] as const
            ),
          ),
        ),
        ...family(
          "batchway_account_set_aside",
          "gauge",
          "Whether an account is set aside: 1 if its key is refused or its quota is used up.",
          accounts(providers),
        ),
      ];
      return `${lines.join("\n")}\n`;
    },
  };
}

function accounts(providers: ReadonlyMap<string, Provider>): ReadonlyMap<string, number> {
  return new Map(
    [...providers.values()].flatMap((provider) =>
      accountsOf(provider).map(({ name, health }) =>
        [
          `${label("provider", provider.name)},${label("account", name)}`,
          health?.setAside() ? 1 : 0,
        ] as const
      )
    ),
  );
}

function family(
  name: string,
  type: "counter" | "gauge",
  help: string,
  values: ReadonlyMap<string, number>,
): string[] {
  const lines = [...values].map(([labels, value]) =>
    `${name}${labels === "" ? "" : `{${labels}}`} ${value}`
  );
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
}

function histogram(durations: ReadonlyMap<string, Durations>): string[] {
  const name = "batchway_request_duration_seconds";
  const help = `# HELP ${name} From a request's head to the end of its answer.`;
  const lines = [...durations].flatMap(([labels, { within, count, milliseconds }]) => [
    ...bounds.map((bound, at) => `${name}_bucket{${labels},le="${bound}"} ${within[at]}`),
    `${name}_bucket{${labels},le="+Inf"} ${count}`,
    `${name}_sum{${labels}} ${milliseconds / 1000}`,
    `${name}_count{${labels}} ${count}`,
  ]);
  return [help, `# TYPE ${name} histogram`, ...lines];
}

/** A label as Prometheus has it; none of the values has a line break. */
function label(name: string, value: string): string {
  return `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
