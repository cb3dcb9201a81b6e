/** Composition: configuration → catalog → providers → objects, jobs → app → listeners. */
import { createCatalog } from "./catalog/catalog.ts";
import { openKv } from "./catalog/kv.ts";
import { randomId } from "./codecs/ids.ts";
import { createTokens } from "./codecs/page_token.ts";
import type { Config } from "./config.ts";
import { createJobs } from "./jobs/jobs.ts";
import type { Log } from "./log.ts";
import { createObjects } from "./objects/objects.ts";
import { createProviders } from "./providers/registry.ts";
import { createUploader } from "./providers/upload.ts";
import { type AppDeps, createApp, createRootApp } from "./routes/app.ts";
import { bindingOf } from "./routes/select_provider.ts";
import { serve } from "./serve.ts";
import { startSweep } from "./sweep.ts";

/** What the gateway takes from outside besides its configuration. */
export interface GatewayDeps {
  readonly log: Log;
  readonly env: (name: string) => string | undefined;
  /** Where the catalog is, if not in the configured folder; `:memory:` keeps nothing. */
  readonly catalogPath?: string;
}

/** A gateway that serves. */
export interface Gateway {
  /** Without a slash at the end. */
  readonly url: string;
  /** S3 at the root of a port of its own, where configured. */
  readonly s3Url: string | undefined;
  /** Answers what is under way and ends; nothing that was acknowledged is lost. */
  close(): Promise<void>;
}

/** A create's lease; it is prolonged while its gateway lives. In milliseconds. */
const leaseMilliseconds = 6_000;
/** How long a provider may be at a create whose caller is gone, in milliseconds. */
const settleMilliseconds = 20_000;

/** Starts the gateway. Throws where the catalog cannot be opened or an address is taken. */
export async function startGateway(config: Config, deps: GatewayDeps): Promise<Gateway> {
  const { log } = deps;
  const now = () => Date.now();
  const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);
  const instance = randomId(8, random);
  const kv = await openKv(deps.catalogPath ?? `${config.data}/catalog.kv`);
  const catalog = createCatalog(kv, sleep);
  const uploader = createUploader();
  const providers = createProviders(config.providers, {
    fetch,
    now: () => new Date(),
    random,
    sleep,
    uploader,
    env: deps.env,
  });
  const objects = createObjects({
    catalog,
    providers,
    now,
    random: Math.random,
    instance,
    showsNative: ({ provider: { name } }, bucket) =>
      bucket === name || bucket === `${name}-files` ||
      bindingOf(config.buckets, bucket)?.native === true,
    postponed: (what, error) => log.warn("A clean-up is left to the sweep", { what, error }),
  });
  const jobs = createJobs({
    catalog,
    objects,
    providers,
    now,
    random,
    sleep,
    instance,
    pollMilliseconds: config.pollMilliseconds,
    leaseMilliseconds,
    settleMilliseconds,
    strictIdempotency: config.strictIdempotency,
    defaultRegion: config.region,
    warn: log.warn,
  });
  const tokenSecret = await catalog.instances.secret(
    "page-tokens",
    () => random(new Uint8Array(32)),
  );
  let isDraining = () => false;
  const app: AppDeps = {
    providers,
    defaultProvider: config.defaultProvider,
    buckets: config.buckets,
    s3Domains: config.s3Domains,
    objects,
    jobs,
    tokens: createTokens(tokenSecret),
    maxBodyBytes: config.limits.maxBodyBytes,
    idleMilliseconds: config.idleMilliseconds,
    checkCatalog: () => catalog.check(),
    isDraining: () => isDraining(),
    requestId: () => crypto.randomUUID(),
    broken: ({ requestId, signal }, error) => {
      if (!signal.aborted) log.warn("A request failed", { requestId, error });
    },
    answered: ({ requestId, accessKeyId, tenant, audit, status }) =>
      log.audit({
        time: new Date().toISOString(),
        requestId,
        accessKeyId,
        tenant,
        ...audit,
        status,
      }),
  };
  const escaped = (error: unknown) => log.warn("An error escaped", { error });
  const listener = serve(createApp(app), { hostname: config.host, port: config.port, escaped });
  isDraining = listener.isDraining;
  const s3Listener = config.s3Port === undefined
    ? undefined
    : serve(createRootApp(app), { hostname: config.host, port: config.s3Port, escaped });
  const sweep = startSweep(
    { catalog, objects, jobs, instance, now, log },
    config.sweepMilliseconds,
  );
  return {
    url: listener.url,
    s3Url: s3Listener?.url,
    async close() {
      const drained = [listener, s3Listener].map((one) => one?.drain(config.drainMilliseconds));
      await Promise.all(drained);
      await sweep.stop();
      await uploader.close();
      kv.close();
    },
  };
}

function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const aborted = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", aborted, { once: true });
  });
}
