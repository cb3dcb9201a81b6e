/** Composition: configuration → catalog → providers → objects, jobs → app → listeners. */
import { createAccess } from "./access/access.ts";
import { liveRateLimit } from "./access/rate_limit.ts";
import { createStores, foldersOf, objectsLocation, storageFolders } from "./blob_stores.ts";
import { createCatalog } from "./catalog/catalog.ts";
import { catalogLocation, openLocation } from "./catalog/location.ts";
import { bounds } from "./runtime/bounds.ts";
import { type Clock, createClock } from "./runtime/clock.ts";
import { randomId } from "./codecs/ids.ts";
import type { KvLimits } from "./catalog/limited_kv.ts";
import { sleep } from "./runtime/sleep.ts";
import { version } from "./runtime/version.ts";
import { createTokens } from "./codecs/page_token.ts";
import { createPool, withOwnShare } from "./runtime/pool.ts";
import type { Config } from "./config/config.ts";
import { createJobs } from "./jobs/jobs.ts";
import type { Log } from "./log.ts";
import { createListeners } from "./listeners.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { createDisks, probeFolder } from "./objects/disks.ts";
import { hearTime } from "./objects/hear_time.ts";
import { createObjects } from "./objects/objects.ts";
import { createScratchRoom } from "./jobs/sharded/scratch_room.ts";
import { createReadSpool } from "./objects/read_spool.ts";
import { checkReachable, opennessOf } from "./openness.ts";
import { openEvents } from "./open_events.ts";
import { upstreamsOf } from "./config/upstreams.ts";
import { portOf, refuseOwnAddress } from "./own_address.ts";
import { inOrder } from "./process.ts";
import { hearing } from "./providers/hearing.ts";
import { createProviders } from "./providers/registry.ts";
import type { Timeouts } from "./providers/timeouts.ts";
import { createUploader } from "./providers/upload.ts";
import { type AppDeps, createApp, createRootApp } from "./routes/app.ts";
import { createAudit } from "./routes/ops/audit.ts";
import { createAdminApp } from "./routes/ops/admin_app.ts";
import { createReadiness } from "./routes/ops/health.ts";
import { createRecords } from "./routes/dashboard/records.ts";
import { createRecentRefusals } from "./routes/ops/refusals.ts";
import { bindingOf } from "./routes/select_provider.ts";
import { readTls } from "./serve.ts";
import { startSweep, type Sweep } from "./sweep.ts";

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

const defaultLeaseMilliseconds = 6_000;
const defaultLongestCreateMilliseconds = 20_000;
/** What files may take on disk while ranges of them are read, in bytes. */
const readSpoolBytes = 4 * 2 ** 30;
/** How long such a file is kept after its last reader. */
const readSpoolMilliseconds = 60_000;

/** Starts the gateway. Throws where the catalog cannot be opened or an address is taken. */
export async function startGateway(config: Config, deps: GatewayDeps): Promise<Gateway> {
  const { log, providerTimeouts: timeouts } = deps;
  const tls = config.tls && { tls: await readTls(config.tls) };
  const clock = deps.clock ?? createClock({ now: Date.now, uptime: () => performance.now() });
  const { now, uptime } = clock;
  const metrics = createMetrics({ version, tenants: config.metrics.tenants, now, uptime });
  const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);
  const instance = randomId(8, random);
  const { catalogPath: path, catalogLimits: limits } = deps;
  const location = path === undefined
    ? catalogLocation(config.catalog, config.data)
    : { kind: "file", path } as const;
  const folders = await foldersOf(config, deps.catalogPath);
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
  const uploader = createUploader(timeouts);
  const providers = metrics.calls.watch(createProviders(config.providers, {
    ...hearing({ fetch, uploader }, clock),
    now: () => new Date(now()),
    uptime: clock.uptime,
    random,
    sleep,
    hop: instance,
    env: deps.env,
    warn: log.warn,
    retried: metrics.calls.retried,
    ...(timeouts && { timeouts }),
  }));
  const stores = createStores(config, {
    providers,
    disks,
    due: clock.due,
    folders,
    machine: deps.env("HOSTNAME") ?? "",
    warn: log.warn,
  });
  const { parts, kept, openBucket } = stores;
  if (location.kind !== "file" && kept.disk && kept.keep !== "never") log.warn(oneMachineOnly);
  const reads = createReadSpool({
    // A catalog in memory has no folder; nothing of it may be found on disk either.
    ...(deps.catalogPath !== ":memory:" && { folder: `${config.data}/spool/reads` }),
    maxBytes: readSpoolBytes,
    keepMilliseconds: readSpoolMilliseconds,
    sleep,
    failed: (error) => log.warn("The disk failed while ranges of a file were read", { error }),
  });
  const resultStore = stores.results;
  // What the gateway makes itself is beside the kept objects where results have no store.
  const store = resultStore ?? kept.blobs;
  const objects = createObjects({
    catalog,
    providers,
    reads,
    resultStore: store,
    parts,
    kept,
    checkRoom: disks.checkCatalog,
    storeBytes: config.limits.storeBytes,
    randomBytes: random,
    now,
    clock,
    random: Math.random,
    sleep,
    instance,
    implicitBuckets: config.implicitBuckets,
    // A file says whether it is a copy; a server does not.
    mayBeSetBack: location.kind !== "file",
    etagForm: (_, bucket) => bindingOf(config.buckets, bucket)?.etag ?? config.etag,
    showsNative: ({ provider: { name } }, bucket) =>
      bucket === name || bucket === `${name}-files` ||
      bindingOf(config.buckets, bucket)?.native === true,
    postponed: (what, error) => log.warn("A clean-up is left to the sweep", { what, error }),
  });
  const jobs = createJobs({
    ...(resultStore ? { resultStore } : { storedIn: objects.storedIn }),
    store,
    scratch: { folder: folders.drafts, disk: disks.scratch, room: createScratchRoom() },
    openBucket,
    catalog,
    objects,
    providers,
    now,
    clock,
    random,
    sleep,
    instance,
    pollMilliseconds: config.pollMilliseconds,
    sweepMilliseconds: config.sweepMilliseconds,
    leaseMilliseconds,
    longestCreateMilliseconds: deps.longestCreateMilliseconds ?? defaultLongestCreateMilliseconds,
    strictIdempotency: config.strictIdempotency,
    models: config.models,
    prices: () => config.prices,
    ended: metrics.ended,
    defaultRegion: config.region,
    warn: log.warn,
  });
  const tokenSecret = await catalog.instances.secret(
    "page-tokens",
    () => random(new Uint8Array(32)),
  );
  const access = createAccess({
    catalog,
    secretKey: {
      configured: config.secretKey,
      // A key on one machine's disk unseals nothing elsewhere.
      folder: location.kind === "file" && location.path !== ":memory:" ? config.data : undefined,
    },
    config,
    random,
    now,
    uptime: clock.uptime,
    warn: log.warn,
  });
  const refusals = createRecentRefusals(now);
  const listeners = createListeners({
    config,
    tls,
    log,
    // A catalog in memory has no folder.
    reservePath: deps.catalogPath === ":memory:" ? undefined : config.data,
  });
  const health = {
    providers,
    checkCatalog: () => catalog.check(),
    checkCommit: () => catalog.checkWrite(),
    checkDisks: disks.check,
    isDraining: listeners.isDraining,
  };
  const readiness = createReadiness(health, uptime);
  const uploads = createPool(() => withOwnShare(config.limits.concurrentUploads, bounds.ownShare));
  const app: AppDeps = {
    ...health,
    keyring: access.keyring,
    lastUse: access.lastUse,
    keys: access.keys,
    now,
    latest: clock.latest,
    hop: instance,
    openTo: opennessOf(config),
    rateLimit: liveRateLimit(() => config.limits.requestsPerSecond, clock.uptime),
    uploads,
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
    tokens: createTokens(tokenSecret),
    uptime: clock.uptime,
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
    readiness,
    refusals,
    ports: () => ({ main: portOf(url), s3: s3Url && portOf(s3Url) }),
    answered: createAudit({ log, metrics, refusals, now }),
    trustProxy: config.trustProxy,
  };
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
  const close = (drainMilliseconds: number, sweep?: Sweep) =>
    inOrder([
      () => listeners.drain(drainMilliseconds),
      () => reads.close(),
      () => objects.multipart.close(),
      () => sweep?.stop(),
      () => sender.close(),
      () => parts.close(),
      () => folders.close(),
      () => access.lastUse.close(),
      () => uploader.close(),
      () => opened.close(),
    ]);
  let url: string;
  let s3Url: string | undefined;
  let adminUrl: string | undefined;
  let isAnonymous: boolean;
  try {
    await access.check();
    await checkReachable(config, access.keyring);
    isAnonymous = !await access.keyring.hasAny();
    url = listeners.open(createApp(app), config.port);
    if (config.s3Port !== undefined) s3Url = listeners.open(createRootApp(app), config.s3Port);
    if (config.adminPort !== undefined) {
      adminUrl = listeners.openAdmin(createAdminApp({ metrics, readiness }), config.adminPort);
    }
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
  const closeAll = () => close(config.drainMilliseconds, sweep);
  return { url, s3Url, adminUrl, isAnonymous, lost: listeners.lost, close: closeAll };
}

/** Warns where several machines may share a catalog and do not share what is kept. */
const oneMachineOnly =
  "Objects are kept in a folder of this machine. Where several machines share a catalog, requests " +
  "that come to another one get 503: set objects.store to a bucket in batchway.jsonc";
