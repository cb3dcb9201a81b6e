/** Objects over a provider in memory and a catalog in memory. */
import type { Catalog } from "../../catalog/catalog.ts";
import { createKept, type KeptDeps, nothingKept } from "../../objects/kept.ts";
import type { Clock } from "../../runtime/clock.ts";
import { createObjects, type Objects } from "../../objects/objects.ts";
import type { NewObject } from "../../objects/new_object.ts";
import type { PutQuota } from "../../objects/put_quota.ts";
import type { Reach } from "../../reach/reach.ts";
import { type OpenCatalog, openCatalog } from "../catalog/memory.ts";
import { createDouble, type DoubleOptions, type ProviderDouble, providersOf } from "../double.ts";

/** Objects, and all that they stand on. */
export interface ObjectWorld extends Disposable, OpenCatalog {
  readonly cloud: ProviderDouble;
  readonly objects: Objects;
  readonly reach: Reach;
  /** What was left to the sweep. */
  readonly postponed: string[];
  /** Milliseconds since 1970; the world's clock. */
  time: number;
}

/** Counts no bytes against limits. */
export const uncounted: Pick<PutQuota, "counted"> = {
  counted: (_putter, _bytes, work) => work(undefined),
};

/** How a world differs from the default one. */
export interface WorldOptions {
  readonly instance?: string;
  readonly cloud?: ProviderDouble;
  readonly catalog?: OpenCatalog;
  /** What is trusted with expiry instead of the world's own time. */
  readonly clock?: Clock;
  readonly mayBeSetBack?: boolean;
  /** Which objects are kept, and where; none where absent. */
  readonly kept?: Omit<KeptDeps, "copies" | "randomBytes">;
}

/** Makes a world; native files are shown in the bucket `cloud-files`. */
export async function createWorld(
  options: DoubleOptions & WorldOptions = {},
): Promise<ObjectWorld> {
  const open = options.catalog ?? await openCatalog();
  const cloud = options.cloud ?? createDouble({ now: () => world.time, ...options });
  const postponed: string[] = [];
  const objects = createObjects({
    catalog: open.catalog,
    providers: providersOf(cloud),
    now: () => world.time,
    ...(options.clock && { clock: options.clock }),
    random: () => 0,
    instance: options.instance ?? "one",
    ...(options.kept && { kept: options.kept }),
    mayBeSetBack: options.mayBeSetBack ?? false,
    showsNative: (_, bucket) => bucket === "cloud-files",
    postponed: (what) => postponed.push(what),
  });
  const world: ObjectWorld = {
    ...open,
    cloud,
    objects,
    postponed,
    reach: { tenant: "default", native: true, provider: cloud.provider },
    time: 1_000_000,
    [Symbol.dispose]: () => open[Symbol.dispose](),
  };
  return world;
}

/** Kept objects of a gateway that keeps none. */
export const keptOf = ({ copies }: Catalog) =>
  createKept({ ...nothingKept, copies, randomBytes: (bytes) => bytes });

/** A signal that nobody aborts. */
export const quiet = (): AbortSignal => new AbortController().signal;

/** An object of a text. */
export function newObject(key: string, text = "{}\n", more: Partial<NewObject> = {}): NewObject {
  return {
    bucket: "bucket",
    key,
    bytes: text.length,
    body: new Blob([text]).stream(),
    checksums: () => ({}),
    contentType: "application/jsonl",
    headers: {},
    metadata: {},
    condition: {},
    ...more,
  };
}
