/** Composition: configuration → catalog → services → app → listeners. */
import { storageFolders } from "./blob_stores.ts";
import { createTokens } from "./codecs/page_token.ts";
import type { Config } from "./config/config.ts";
import { upstreamsOf } from "./config/upstreams.ts";
import { type Foundation, type GatewayDeps, openFoundation } from "./foundation.ts";
import { createListeners, type Listeners } from "./listeners.ts";
import { hearTime } from "./objects/hear_time.ts";
import { checkReachable, opennessOf } from "./openness.ts";
import { portOf, refuseOwnAddress } from "./own_address.ts";
import { inOrder } from "./process.ts";
import { liveRateLimit } from "./access/rate_limit.ts";
import { type AppDeps, createApp, createRootApp } from "./routes/app.ts";
import { createRecords } from "./routes/dashboard/records.ts";
import { createAdminApp } from "./routes/ops/admin_app.ts";
import { createAudit } from "./routes/ops/audit.ts";
import { createReadiness } from "./routes/ops/health.ts";
import { createRecentRefusals } from "./routes/ops/refusals.ts";
import { bounds } from "./runtime/bounds.ts";
import { createPool, withOwnShare } from "./runtime/pool.ts";
import { readTls } from "./serve.ts";
import { createServices, type Services } from "./services.ts";
import { startSweep, type Sweep } from "./sweep.ts";

export type { GatewayDeps } from "./foundation.ts";

/** A gateway that serves. */
export interface Gateway {
  /** Without a slash at the end. */
  readonly url: string;
  /** S3 at the root of a port of its own, where configured. */
  readonly s3Url: string | undefined;
  /** The figures and the health of this process, on a port of their own, where configured. */
  readonly adminUrl: string | undefined;
  /** Whether it had no key when it started. */
  readonly isAnonymous: boolean;
  /** Resolves where it can take no requests any more: its runner must end the process. */
  readonly lost: Promise<Error>;
  /** Answers what is under way and ends; nothing that was acknowledged is lost. */
  close(): Promise<void>;
}

/** The addresses that a gateway listens on, once it does. */
interface Addresses {
  url: string;
  s3Url: string | undefined;
  adminUrl: string | undefined;
}

/** Starts the gateway. Throws where the catalog cannot be opened or an address is taken. */
export async function startGateway(config: Config, deps: GatewayDeps): Promise<Gateway> {
  const { log } = deps;
  const tls = config.tls && { tls: await readTls(config.tls) };
  const base = await openFoundation(config, deps);
  const services = createServices(config, deps, base);
  const { catalog, clock, instance, metrics, sender } = base;
  const { access, jobs, objects, providers } = services;
  const listeners = createListeners({
    config,
    tls,
    log,
    // A catalog in memory has no folder.
    reservePath: deps.catalogPath === ":memory:" ? undefined : config.data,
  });
  const tokenSecret = await catalog.instances.secret(
    "page-tokens",
    () => base.random(new Uint8Array(32)),
  );
  const addresses: Addresses = { url: "", s3Url: undefined, adminUrl: undefined };
  const app = appOf({ config, deps, base, services, listeners, tokenSecret, addresses });
  showFigures(config, base, services, app);
  const close = (drainMilliseconds: number, sweep?: Sweep) =>
    closeAll(base, services, listeners, drainMilliseconds, sweep);
  let isAnonymous: boolean;
  try {
    await access.check();
    await checkReachable(config, access.keyring);
    isAnonymous = !await access.keyring.hasAny();
    listen(config, listeners, app, addresses);
    const { url, s3Url } = addresses;
    const own = { host: config.host, urls: [url, s3Url ?? url], hop: instance, fetch };
    await refuseOwnAddress(upstreamsOf(config, deps.env), own);
  } catch (error) {
    await close(0);
    throw error;
  }
  const sweep = startSweep(
    {
      catalog,
      objects,
      jobs,
      events: sender,
      instance,
      clock,
      hearTime: (signal) => hearTime({ catalog, clock, providers, instance }, signal),
      log,
      watch: metrics.sweep,
    },
    config.sweepMilliseconds,
  );
  return {
    ...addresses,
    isAnonymous,
    lost: listeners.lost,
    close: () => close(config.drainMilliseconds, sweep),
  };
}

/** Parts of the app. */
interface AppParts {
  readonly config: Config;
  readonly deps: GatewayDeps;
  readonly base: Foundation;
  readonly services: Services;
  readonly listeners: Listeners;
  readonly tokenSecret: Uint8Array;
  readonly addresses: Addresses;
}

/** Makes what the routes work with. */
function appOf({ config, deps, base, services, listeners, ...more }: AppParts): AppDeps {
  const { log } = deps;
  const { catalog, clock, disks, instance, metrics } = base;
  const { access, jobs, objects, providers } = services;
  const { now, uptime } = clock;
  const health = {
    providers,
    checkCatalog: () => catalog.check(),
    checkCommit: () => catalog.checkWrite(),
    checkDisks: disks.check,
    isDraining: listeners.isDraining,
  };
  const refusals = createRecentRefusals(now);
  return {
    ...health,
    keyring: access.keyring,
    lastUse: access.lastUse,
    keys: access.keys,
    now,
    latest: clock.latest,
    hop: instance,
    openTo: opennessOf(config),
    rateLimit: liveRateLimit(() => config.limits.requestsPerSecond, uptime),
    uploads: createPool(() => withOwnShare(config.limits.concurrentUploads, bounds.ownShare)),
    // Read at each request: these change while the gateway runs (`config/live.ts`).
    get defaultProvider() {
      return config.defaultProvider;
    },
    get defaultIsImplied() {
      return config.defaultIsImplied ?? false;
    },
    get buckets() {
      return config.buckets;
    },
    s3Domains: config.s3Domains,
    objects,
    jobs,
    usage: catalog.usage,
    tokens: createTokens(more.tokenSecret),
    uptime,
    records: createRecords(catalog),
    get maxBodyBytes() {
      return config.limits.maxBodyBytes;
    },
    idleMilliseconds: config.idleMilliseconds,
    region: config.region,
    requestId: () => crypto.randomUUID(),
    broken: ({ requestId, signal }, error) => {
      if (!signal.aborted) log.warn("A request failed", { requestId, error });
    },
    metrics,
    readiness: createReadiness(health, uptime),
    refusals,
    ports: () => portsOf(more.addresses),
    answered: createAudit({ log, metrics, refusals, now }),
    trustProxy: config.trustProxy,
  };
}

function portsOf({ url, s3Url }: Addresses) {
  return { main: portOf(url), s3: s3Url && portOf(s3Url) };
}

/** Lets the metrics show figures of the rooms. */
function showFigures(
  config: Config,
  { catalog, folders, location, metrics, sender }: Foundation,
  { jobs, providers }: Services,
  { readiness, uploads }: AppDeps,
): void {
  metrics.show({
    providers,
    uploads: uploads.taken,
    waiting: jobs.waiting,
    countJobs: catalog.jobs.count,
    ...(config.events && { countEvents: catalog.outbox.count }),
    eventsGivenUp: sender.givenUp,
    readiness: readiness.status,
    stores: storageFolders(config, folders, location),
  });
}

/** Begins to listen; sets the addresses. */
function listen(config: Config, listeners: Listeners, app: AppDeps, addresses: Addresses): void {
  const { metrics, readiness } = app;
  addresses.url = listeners.open(createApp(app), config.port);
  if (config.s3Port !== undefined) {
    addresses.s3Url = listeners.open(createRootApp(app), config.s3Port);
  }
  if (config.adminPort !== undefined) {
    const admin = createAdminApp({ metrics, readiness });
    addresses.adminUrl = listeners.openAdmin(admin, config.adminPort);
  }
}

/** Ends what is under way, and then what it stands on. */
function closeAll(
  { closeCatalog, folders, sender }: Foundation,
  { access, objects, parts, reads, uploader }: Services,
  listeners: Listeners,
  drainMilliseconds: number,
  sweep: Sweep | undefined,
): Promise<void> {
  return inOrder([
    () => listeners.drain(drainMilliseconds),
    () => reads.close(),
    () => objects.multipart.close(),
    () => sweep?.stop(),
    () => sender.close(),
    () => parts.close(),
    () => folders.close(),
    () => access.lastUse.close(),
    () => uploader.close(),
    () => closeCatalog(),
  ]);
}
