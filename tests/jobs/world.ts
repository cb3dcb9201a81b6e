/** Jobs over a provider in memory: one gateway, or several on one catalog. */
import { fileId } from "../../codecs/ids.ts";
import type { JobDeps } from "../../jobs/deps.ts";
import { createJobs, type Jobs } from "../../jobs/jobs.ts";
import { createDisk } from "../../runtime/disk.ts";
import type { CreateRequest } from "../../jobs/validate.ts";
import { type OpenCatalog, openCatalog, sleep } from "../catalog/memory.ts";
import type { ProviderDouble } from "../double.ts";
import { createDouble, type DoubleOptions, providersOf } from "../double.ts";
import { createWorld, type ObjectWorld } from "../objects/world.ts";

/** One gateway's jobs. */
export interface JobWorld extends ObjectWorld {
  readonly jobs: Jobs;
  /** What the operator was told. */
  readonly warnings: string[];
  /** Another gateway on the same provider, clock and catalog, or on another handle of it. */
  another(instance: string, catalog?: OpenCatalog): Promise<JobWorld>;
}

/** How a world differs from the default one. */
export type JobWorldOptions = DoubleOptions & Partial<JobDeps> & {
  readonly cloud?: ProviderDouble;
  readonly catalogOf?: OpenCatalog;
  /** Waits pass at once, and move the clock on. */
  readonly virtual?: boolean;
};

/** A world whose provider holds `file-in`. */
export async function createJobWorld(options: JobWorldOptions = {}): Promise<JobWorld> {
  const catalog = options.catalogOf ?? await openCatalog();
  const { virtual = false } = options;
  const now = () => virtual ? world.time : Date.now();
  const cloud = options.cloud ?? createDouble({ ...options, now });
  const { instance = "one" } = options;
  const world = await createWorld({
    catalog,
    cloud,
    instance,
    ...(options.clock && { clock: options.clock }),
  });
  if (!options.cloud) cloud.addFile("file-in");
  const warnings: string[] = [];
  const jobs = createJobs({
    catalog: catalog.catalog,
    objects: world.objects,
    providers: providersOf(cloud),
    now,
    random: (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
    sleep: async (milliseconds) => {
      world.time += milliseconds;
      await sleep(virtual ? 0 : Math.min(milliseconds, 10));
    },
    instance,
    pollMilliseconds: 0,
    leaseMilliseconds: 6_000,
    longestCreateMilliseconds: 20_000,
    strictIdempotency: false,
    models: {},
    defaultRegion: "us-west-2",
    scratch: { folder: undefined, disk: createDisk("scratch") },
    warn: (message) => warnings.push(message),
    ...options,
  });
  const whole: JobWorld = Object.assign(world, {
    jobs,
    warnings,
    async another(instance: string, handle?: OpenCatalog) {
      const catalogOf = handle ?? { ...catalog, [Symbol.dispose]: () => {} };
      const other = await createJobWorld({ ...options, cloud, instance, catalogOf });
      // One clock for all.
      Object.defineProperty(other, "time", {
        get: () => world.time,
        set: (time: number) => void (world.time = time),
      });
      return other;
    },
  });
  return whole;
}

/** A create of a job on `file-in`. */
export function createRequest(more: Partial<CreateRequest> = {}): CreateRequest {
  return {
    jobName: "job",
    roleArn: "none",
    modelId: "model",
    inputDataConfig: { s3InputDataConfig: { s3Uri: `s3://cloud-files/${fileId("file-in")}` } },
    outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://out/" } },
    tags: { a: "1" },
    ...more,
  };
}
