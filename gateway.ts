/** Composition: configuration → catalog → providers → objects, jobs → app → listeners. */
import { calledAs } from "./runtime/program_name.ts";
import { createAccess } from "./access/access.ts";
import type { Keyring } from "./access/keyring.ts";
import { createRateLimit } from "./access/rate_limit.ts";
import { createStores, foldersOf, placeOfObjects } from "./blob_stores.ts";
import { createCatalog } from "./catalog/catalog.ts";
import { openPlace, placeOf } from "./catalog/place.ts";
import { bounds } from "./runtime/bounds.ts";
import { type Clock, createClock } from "./runtime/clock.ts";
import { randomId } from "./codecs/ids.ts";
import type { KvLimits } from "./catalog/limited_kv.ts";
import { sleep } from "./runtime/sleep.ts";
import { createTokens } from "./codecs/page_token.ts";
import { createPool, withOwnShare } from "./runtime/pool.ts";
import type { Config } from "./config/config.ts";
import { createJobs } from "./jobs/jobs.ts";
import type { Log } from "./log.ts";
import { createDisks, probeFolder } from "./objects/disks.ts";
import { hearTime } from "./objects/hear_time.ts";
import { createObjects } from "./objects/objects.ts";
import { createReadSpool } from "./objects/read_spool.ts";
import { portOf, refuseOwnAddress } from "./own_address.ts";
import { inOrder } from "./process.ts";
import { hearing } from "./providers/hearing.ts";
import { createProviders } from "./providers/registry.ts";
import type { Timeouts } from "./providers/timeouts.ts";
import { createUploader } from "./providers/upload.ts";
import { type AppDeps, createApp, createRootApp } from "./routes/app.ts";
import type { App } from "./routes/entry.ts";
import type { Openness } from "./routes/authenticate.ts";
import { createAudit } from "./routes/ops/audit.ts";
import { createMetrics } from "./routes/ops/metrics.ts";
import { createRecentRefusals } from "./routes/ops/refusals.ts";
import { bindingOf } from "./routes/select_provider.ts";
import { type Listener, readTls, serve } from "./serve.ts";
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
  readonly settleMilliseconds?: number;
  /** How long providers are waited for; tests of their silence cannot wait as long as clients can. */
  readonly providerTimeouts?: Timeouts;
}

/** A gateway that serves. */
export interface Gateway {
  /** Without a slash at the end. */
  readonly url: string;
  /** S3 at the root of a port of its own, where configured. */
  readonly s3Url: string | undefined;
  /** Resolves where it can take no requests any more: its runner must end the process. */
  readonly lost: Promise<Error>;
  /** Answers what is under way and ends; nothing that was acknowledged is lost. */
  close(): Promise<void>;
}

const defaultLeaseMilliseconds = 6_000;
const defaultSettleMilliseconds = 20_000;
/** What files may take on disk while ranges of them are read, in bytes. */
const readSpoolBytes = 4 * 2 ** 30;
/** How long such a file is kept after its last reader. */
const readSpoolMilliseconds = 60_000;

/** Starts the gateway. Throws where the catalog cannot be opened or an address is taken. */
export async function startGateway(config: Config, deps: GatewayDeps): Promise<Gateway> {
  const { log, providerTimeouts: timeouts } = deps;
  const tls = config.tls && { tls: await readTls(config.tls) };
  const clock = deps.clock ?? createClock({ now: Date.now, uptime: () => performance.now() });
  const { now } = clock;
  const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);
  const instance = randomId(8, random);
  const { catalogPath: path, catalogLimits: limits } = deps;
  const place = path === undefined
    ? placeOf(config.catalog, config.data)
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
        const kept = placeOfObjects(config.objects.store, folders);
        return probeFolder(kept.kind === "folder" ? kept.folder : drafts);
      },
      scratch: () => probeFolder(drafts),
      results: () => probeFolder(config.keep?.kind === "folder" ? config.keep.folder : drafts),
    },
  });
  const opened = await openPlace(place, {
    sleep,
    told: log.info,
    warn: log.warn,
    disk: disks.catalog,
    ...(limits && { limits }),
  });
  const catalog = createCatalog(opened.kv, sleep, opened.memory, opened.mustBePresent);
  const uploader = createUploader(timeouts);
  const providers = createProviders(config.providers, {
    ...hearing({ fetch, uploader }, clock),
    now: () => new Date(now()),
    uptime: clock.uptime,
    random,
    sleep,
    hop: instance,
    env: deps.env,
    warn: log.warn,
    ...(timeouts && { timeouts }),
  });
  const stores = createStores(config, {
    providers,
    disks,
    due: clock.due,
    folders,
    machine: deps.env("HOSTNAME") ?? "",
    warn: log.warn,
  });
  const { parts, kept, openBucket } = stores;
  if (place.kind !== "file" && kept.disk && kept.keep !== "never") log.warn(oneMachineOnly);
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
    randomBytes: random,
    now,
    clock,
    random: Math.random,
    sleep,
    instance,
    implicitBuckets: config.implicitBuckets,
    // A file says whether it is a copy; a server does not.
    mayBeSetBack: place.kind !== "file",
    etagForm: (_, bucket) => bindingOf(config.buckets, bucket)?.etag ?? config.etag,
    showsNative: ({ provider: { name } }, bucket) =>
      bucket === name || bucket === `${name}-files` ||
      bindingOf(config.buckets, bucket)?.native === true,
    postponed: (what, error) => log.warn("A clean-up is left to the sweep", { what, error }),
  });
  const jobs = createJobs({
    ...(resultStore ? { resultStore } : { storedIn: objects.storedIn }),
    store,
    scratch: { folder: folders.drafts, disk: disks.scratch },
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
    leaseMilliseconds: deps.leaseMilliseconds ?? defaultLeaseMilliseconds,
    settleMilliseconds: deps.settleMilliseconds ?? defaultSettleMilliseconds,
    strictIdempotency: config.strictIdempotency,
    models: config.models,
    prices: () => config.prices,
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
      folder: place.kind === "file" && place.path !== ":memory:" ? config.data : undefined,
    },
    firstKey: config.firstKey,
    random,
    now,
    uptime: clock.uptime,
    warn: log.warn,
  });
  const metrics = createMetrics();
  const refusals = createRecentRefusals(now);
  const listeners: Listener[] = [];
  const app: AppDeps = {
    keyring: access.keyring,
    lastUse: access.lastUse,
    keys: access.keys,
    now,
    latest: clock.latest,
    hop: instance,
    openTo: opennessOf(config),
    rateLimit: createRateLimit(config.limits.requestsPerSecond, clock.uptime),
    uploads: createPool(withOwnShare(config.limits.concurrentUploads, bounds.ownShare)),
    providers,
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
    records: {
      tenants: catalog.tenants,
      shards: catalog.shards.all,
      credentials: catalog.credentials,
    },
    maxBodyBytes: config.limits.maxBodyBytes,
    idleMilliseconds: config.idleMilliseconds,
    region: config.region,
    checkCatalog: () => catalog.check(),
    checkDisks: disks.check,
    isDraining: () => listeners.some((one) => one.isDraining()),
    requestId: () => crypto.randomUUID(),
    broken: ({ requestId, signal }, error) => {
      if (!signal.aborted) log.warn("A request failed", { requestId, error });
    },
    metrics,
    refusals,
    ports: () => ({ main: portOf(new URL(url)), s3: s3Url && portOf(new URL(s3Url)) }),
    answered: createAudit({ log, metrics, refusals, now }),
    trustProxy: config.trustProxy,
  };
  const escaped = (error: unknown) => log.warn("An error escaped", { error });
  const lost = Promise.withResolvers<Error>();
  const close = (drainMilliseconds: number, sweep?: Sweep) =>
    inOrder([
      () => Promise.all(listeners.map((one) => one.drain(drainMilliseconds))),
      () => reads.close(),
      () => objects.multipart.close(),
      () => sweep?.stop(),
      () => parts.close(),
      () => folders.close(),
      () => access.lastUse.close(),
      () => uploader.close(),
      () => opened.close(),
    ]);
  const listen = (answer: App, port: number) => {
    const { host: hostname, reusePort } = config;
    const warn = (message: string, error?: unknown) =>
      log.warn(message, { host: hostname, port, ...(error !== undefined && { error }) });
    const reporting = { escaped, warn, lost: lost.resolve };
    // A catalog in memory has no folder.
    const reserve = deps.catalogPath !== ":memory:" && { reservePath: config.data };
    const listener = serve(answer, { hostname, port, reusePort, ...reporting, ...tls, ...reserve });
    listeners.push(listener);
    return listener.url;
  };
  let url: string;
  let s3Url: string | undefined;
  try {
    await access.check();
    await checkReachable(config, access.keyring);
    url = listen(createApp(app), config.port);
    if (config.s3Port !== undefined) s3Url = listen(createRootApp(app), config.s3Port);
    const own = { host: config.host, urls: [url, s3Url ?? url], hop: instance, fetch };
    await refuseOwnAddress(config.providers, own);
  } catch (error) {
    await close(0);
    throw error;
  }
  const sweep = startSweep(
    {
      catalog,
      objects,
      jobs,
      instance,
      clock,
      hearTime: (signal) => hearTime({ catalog, clock, providers, instance }, signal),
      log,
    },
    config.sweepMilliseconds,
  );
  const closeAll = () => close(config.drainMilliseconds, sweep);
  return { url, s3Url, lost: lost.promise, close: closeAll };
}

/** Hosts that cannot be reached from outside of this machine. */
const loopback = /^(127\.[0-9.]+|::1|localhost)$/;

/** Who is let in while there is no credential. */
export function opennessOf(
  { host, allowAnonymous }: Pick<Config, "host" | "allowAnonymous">,
): Openness {
  if (allowAnonymous) return "everybody";
  return loopback.test(host) ? "local" : "nobody";
}

/** Throws a sentence where strangers could reach a gateway that does not authenticate. */
async function checkReachable(config: Config, keyring: Keyring): Promise<void> {
  const hasAny = await keyring.hasAny();
  if (hasAny || opennessOf(config) !== "nobody") return;
  throw new Error(
    `BATCHWAY_HOST is ${config.host}, and every client that reaches it could use your provider keys. Make a ` +
      `credential with '${calledAs("keys add")}', set BATCHWAY_ADMIN_KEY_ID and ` +
      "BATCHWAY_ADMIN_SECRET, listen on 127.0.0.1, or set " +
      "BATCHWAY_ALLOW_ANONYMOUS=1 where something else keeps strangers out",
  );
}

/** Warns where several machines may share a catalog and do not share what is kept. */
const oneMachineOnly =
  "Objects are kept in a folder of this machine. Where several machines share a catalog, requests " +
  "that come to another one get 503: set objects.store to a bucket in batchway.jsonc";
