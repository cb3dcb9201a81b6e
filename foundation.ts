/** Composition of what all else stands on: clocks, metrics, folders, disks, the catalog and its events. */
import { foldersOf, objectsLocation } from "./blob_stores.ts";
import { createCatalog } from "./catalog/catalog.ts";
import type { KvLimits } from "./catalog/limited_kv.ts";
import { catalogLocation, openLocation } from "./catalog/location.ts";
import { randomId } from "./codecs/ids.ts";
import type { Config } from "./config/config.ts";
import type { Log } from "./log.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { createDisks, probeFolder } from "./objects/disks.ts";
import { openEvents } from "./open_events.ts";
import type { Timeouts } from "./providers/timeouts.ts";
import { type Clock, createClock } from "./runtime/clock.ts";
import { sleep } from "./runtime/sleep.ts";
import { version } from "./runtime/version.ts";

/** What the gateway takes from outside besides its configuration. */
export interface GatewayDeps {
  readonly log: Log;
  readonly env: (name: string) => string | undefined;
  /** The time; the system's where absent. */
  readonly clock?: Clock;
  /** The catalog's file, if it is not where the configuration says; `:memory:` keeps nothing. */
  readonly catalogPath?: string;
  /** How long a catalog on another machine is waited for; 10 s. */
  readonly catalogLimits?: KvLimits;
  /** A create's lease, in milliseconds; it is prolonged while its gateway lives. 6 s. */
  readonly leaseMilliseconds?: number;
  /** How long a provider may be at a create whose caller is gone, in milliseconds. 20 s. */
  readonly longestCreateMilliseconds?: number;
  /** How long providers are waited for; tests of their silence cannot wait as long as clients can. */
  readonly providerTimeouts?: Timeouts;
}

/** What all else of a gateway stands on. */
export type Foundation = Awaited<ReturnType<typeof openFoundation>>;

const defaultLeaseMilliseconds = 6_000;

/** Opens the catalog, and makes what it and all else needs. Throws where the catalog cannot be opened. */
export async function openFoundation(config: Config, deps: GatewayDeps) {
  const { log, catalogPath: path, catalogLimits: limits } = deps;
  const clock = deps.clock ?? createClock({ now: Date.now, uptime: () => performance.now() });
  const { now, uptime } = clock;
  const metrics = createMetrics({ version, tenants: config.metrics.tenants, now, uptime });
  const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);
  const instance = randomId(8, random);
  const location = path === undefined
    ? catalogLocation(config.catalog, config.data)
    : { kind: "file", path } as const;
  const folders = await foldersOf(config, path);
  const spool = folders.parts;
  const drafts = `${config.data}/spool/results`;
  const disks = createDisks({
    warn: log.warn,
    probes: {
      catalog: () => catalog.checkWrite(),
      parts: async () => void (spool.folder !== undefined && await probeFolder(spool.folder)),
      objects: () => {
        const kept = objectsLocation(config.objects.store, folders);
        return probeFolder(kept.kind === "folder" ? kept.folder : drafts);
      },
      scratch: () => probeFolder(drafts),
      results: () => probeFolder(config.keep?.kind === "folder" ? config.keep.folder : drafts),
    },
  });
  const opened = await openLocation(location, {
    sleep,
    now,
    report: log.info,
    warn: log.warn,
    disk: disks.catalog,
    ...(limits && { limits }),
  });
  const { leaseMilliseconds = defaultLeaseMilliseconds } = deps;
  const events = openEvents(config, { ...deps, clock, instance, leaseMilliseconds });
  const { kv, memory, mustBePresent } = opened;
  const catalog = createCatalog(kv, sleep, memory, mustBePresent, events.outbox);
  const sender = events.open(catalog);
  return {
    clock,
    metrics,
    random,
    instance,
    leaseMilliseconds,
    location,
    folders,
    disks,
    catalog,
    closeCatalog: opened.close,
    sender,
  };
}
