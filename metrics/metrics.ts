/** The figures of a gateway, as `/metrics` shows them. */
import type { JobCount } from "../catalog/job_counts.ts";
import type { Account, Provider } from "../providers/provider.ts";
import { type CallWatch, countCalls } from "./calls.ts";
import { type CountedJob, countEnded } from "./ended.ts";
import { addEvents, type EventsWaiting } from "./events.ts";
import { addJobs } from "./jobs.ts";
import { addProcess } from "./process.ts";
import { addReadiness } from "./readiness.ts";
import { createRegistry, labels, type Registry } from "./registry.ts";
import { type AnsweredRequest, countRequests } from "./requests.ts";
import { addStores, type StorageFolders } from "./stores.ts";
import { type SweepWatch, watchSweep } from "./sweep.ts";
import { createTenantLabel, type TenantLabel } from "./tenants.ts";

export { metricsType } from "./registry.ts";

/** Dependencies of the figures. Times are in milliseconds. */
export interface MetricsDeps {
  readonly version: string;
  /** Tenants that have a label of their own. */
  readonly tenants: readonly string[];
  readonly now: () => number;
  /** Of a clock that is never set. */
  readonly uptime: () => number;
}

/** What figures are read of at each answer. */
export interface GatewayState {
  readonly providers: ReadonlyMap<string, Provider>;
  /** Uploads that are under way. */
  readonly uploads: () => number;
  /** Batches that wait until an account takes them, by provider. */
  readonly waiting: () => ReadonlyMap<string, number>;
  /** Counts the jobs in the catalog. */
  readonly countJobs: (most: number) => Promise<readonly JobCount[]>;
  /** Counts events that wait to be delivered, up to a bound; absent where none are configured. */
  readonly countEvents?: (most: number) => Promise<EventsWaiting>;
  /** How many events this process has given up. */
  readonly eventsGivenUp?: () => number;
  /** Whether the gateway can work, in one word. */
  readonly readiness: () => Promise<string>;
  /** What is kept on this machine's disks. */
  readonly stores: StorageFolders;
}

/** The figures. */
export interface Metrics {
  /** Takes a request that was answered. */
  count(answer: AnsweredRequest): void;
  /** Takes a job that this process has ended. */
  readonly ended: (job: CountedJob) => void;
  readonly calls: CallWatch;
  readonly sweep: SweepWatch;
  /** For families of other rooms. */
  readonly registry: Registry;
  readonly tenant: TenantLabel;
  /** Shows figures of a gateway, too. Called once. */
  show(state: GatewayState): void;
  /** All figures as text. */
  render(): Promise<string>;
}

/** Makes figures, all at their beginning. */
export function createMetrics({ version, tenants, now, uptime }: MetricsDeps): Metrics {
  const registry = createRegistry();
  const tenant = createTenantLabel(tenants);
  const ended = countEnded(registry, tenant, tenants);
  addProcess(registry, version);
  return {
    count: countRequests(registry, tenant),
    ended: ended.count,
    calls: countCalls(registry, uptime),
    sweep: watchSweep(registry, { now, uptime }),
    registry,
    tenant,
    show({ providers, uploads, waiting, stores, readiness, ...state }) {
      for (const provider of providers.keys()) ended.begin(provider);
      addJobs(registry, {
        count: state.countJobs,
        providers: () => providers.keys(),
        tenant,
        now,
        uptime,
      });
      addWork(registry, { providers, uploads, waiting });
      addEvents(registry, state, { now, uptime });
      addReadiness(registry, readiness);
      addStores(registry, stores, uptime);
    },
    render: registry.render,
  };
}

/** Adds what is under way in this process, and how the accounts fare. */
function addWork(
  registry: Registry,
  { providers, uploads, waiting }: Pick<GatewayState, "providers" | "uploads" | "waiting">,
): void {
  const inFlight = registry.gauge("batchway_uploads_in_flight", "Uploads that are under way.");
  const queued = registry.gauge(
    "batchway_batches_waiting",
    "Batches of jobs that wait until the provider, or a limit, lets them start.",
  );
  const aside = registry.gauge(
    "batchway_account_set_aside",
    "Whether an account is in trouble: 1 from the refusal of its key, or the end of its quota, until a call goes well.",
  );
  registry.beforeRender(() => {
    inFlight.set("", uploads());
    const waits = waiting();
    for (const provider of providers.values()) {
      const { name } = provider;
      if (provider.stores) queued.set(labels({ provider: name }), waits.get(name) ?? 0);
      for (const account of accountsOf(provider)) {
        const place = labels({ provider: name, account: account.name });
        aside.set(place, account.health?.trouble() ? 1 : 0);
      }
    }
  });
}

/** The accounts of a provider; credentials that requests are forwarded with count as one. */
export function accountsOf(
  { forward, stores }: Provider,
): readonly Pick<Account, "name" | "health">[] {
  const own = forward?.health ? [{ name: "default", health: forward.health }] : [];
  return [...own, ...stores?.accounts ?? []];
}
