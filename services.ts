/** Composition of services: providers and stores → objects → jobs, and who may use them. */
import { createAccess } from "./access/access.ts";
import { createStores, type Stores } from "./blob_stores.ts";
import type { Config } from "./config/config.ts";
import type { Foundation, GatewayDeps } from "./foundation.ts";
import { createJobs, type Jobs } from "./jobs/jobs.ts";
import { createScratchRoom } from "./jobs/sharded/scratch_room.ts";
import { createObjects, type Objects } from "./objects/objects.ts";
import { createReadSpool, type ReadSpool } from "./objects/read_spool.ts";
import { hearing } from "./providers/hearing.ts";
import { createProviders } from "./providers/registry.ts";
import type { Provider } from "./providers/provider.ts";
import { createUploader, type Uploader } from "./providers/upload.ts";
import { bindingOf } from "./routes/select_provider.ts";
import { sleep } from "./runtime/sleep.ts";

/** Services of a gateway. */
export type Services = ReturnType<typeof createServices>;

type Providers = ReadonlyMap<string, Provider>;

const defaultLongestCreateMilliseconds = 20_000;
/** What files may take on disk while ranges of them are read, in bytes. */
const readSpoolBytes = 4 * 2 ** 30;
/** How long such a file is kept after its last reader. */
const readSpoolMilliseconds = 60_000;

/** What each service is made of. */
interface Parts {
  readonly config: Config;
  readonly deps: GatewayDeps;
  readonly base: Foundation;
}

/** Makes the services: providers first, then stores, objects and jobs on them, and access. */
export function createServices(config: Config, deps: GatewayDeps, base: Foundation) {
  const parts = { config, deps, base };
  const uploader = createUploader(deps.providerTimeouts);
  const providers = providersOf(parts, uploader);
  const stores = storesOf(parts, providers);
  const reads = readsOf(parts);
  const objects = objectsOf(parts, providers, stores, reads);
  const jobs = jobsOf(parts, providers, stores, objects);
  return {
    uploader,
    providers,
    parts: stores.parts,
    reads,
    objects,
    jobs,
    access: accessOf(parts, jobs),
  };
}

function providersOf({ config, deps, base }: Parts, uploader: Uploader) {
  const { clock, metrics, random, instance } = base;
  const { log, providerTimeouts: timeouts } = deps;
  return metrics.calls.watch(createProviders(config.providers, {
    ...hearing({ fetch, uploader }, clock),
    now: () => new Date(clock.now()),
    uptime: clock.uptime,
    random,
    sleep,
    hop: instance,
    env: deps.env,
    warn: log.warn,
    retried: metrics.calls.retried,
    ...(timeouts && { timeouts }),
  }));
}

function storesOf({ config, deps, base }: Parts, providers: Providers) {
  const { clock, disks, folders, location } = base;
  const { log } = deps;
  const stores = createStores(config, {
    providers,
    disks,
    due: clock.due,
    folders,
    machine: deps.env("HOSTNAME") ?? "",
    warn: log.warn,
  });
  const { kept } = stores;
  if (location.kind !== "file" && kept.disk && kept.keep !== "never") log.warn(oneMachineOnly);
  return stores;
}

function readsOf({ config, deps }: Parts): ReadSpool {
  return createReadSpool({
    // A catalog in memory has no folder; nothing of it may be found on disk either.
    ...(deps.catalogPath !== ":memory:" && { folder: `${config.data}/spool/reads` }),
    maxBytes: readSpoolBytes,
    keepMilliseconds: readSpoolMilliseconds,
    sleep,
    failed: (error) => deps.log.warn("The disk failed while ranges of a file were read", { error }),
  });
}

function objectsOf(
  { config, deps, base }: Parts,
  providers: Providers,
  { results, parts, kept }: Stores,
  reads: ReadSpool,
): Objects {
  const { clock, catalog, disks, instance, location, random } = base;
  return createObjects({
    catalog,
    providers,
    reads,
    // What the gateway makes itself is beside the kept objects where results have no store.
    resultStore: results ?? kept.blobs,
    parts,
    kept,
    checkRoom: disks.checkCatalog,
    storeBytes: config.limits.storeBytes,
    randomBytes: random,
    now: clock.now,
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
    postponed: (what, error) => deps.log.warn("A clean-up is left to the sweep", { what, error }),
  });
}

function jobsOf(
  { config, deps, base }: Parts,
  providers: Providers,
  { results, kept, openBucket }: Stores,
  objects: Objects,
) {
  const { clock, catalog, disks, folders, instance, leaseMilliseconds, metrics, random } = base;
  return createJobs({
    ...(results ? { resultStore: results } : { storedIn: objects.storedIn }),
    store: results ?? kept.blobs,
    scratch: { folder: folders.drafts, disk: disks.scratch, room: createScratchRoom() },
    openBucket,
    catalog,
    objects,
    providers,
    now: clock.now,
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
    warn: deps.log.warn,
  });
}

function accessOf({ config, deps, base: { catalog, clock, location, random } }: Parts, jobs: Jobs) {
  return createAccess({
    catalog,
    secretKey: {
      configured: config.secretKey,
      // A key on one machine's disk unseals nothing elsewhere.
      folder: location.kind === "file" && location.path !== ":memory:" ? config.data : undefined,
    },
    config,
    firstLimit: jobs.countMonth,
    random,
    now: clock.now,
    uptime: clock.uptime,
    warn: deps.log.warn,
  });
}

/** Warns where several machines may share a catalog and do not share what is kept. */
const oneMachineOnly =
  "Objects are kept in a folder of this machine. Where several machines share a catalog, requests " +
  "that come to another one get 503: set objects.store to a bucket in batchway.jsonc";
