/** Where the catalog is: a file of this machine, a server for many machines, or the platform's. */
import { inTime } from "../runtime/in_time.ts";
import { createDisk, type Disk } from "../runtime/disk.ts";
import { Failure } from "../codecs/failure.ts";
import { type ChangeCounter, openChangeCounter } from "./change_counter.ts";
import { onDisk } from "./disk_kv.ts";
import { groupCommits } from "./grouped_kv.ts";
import { groupReads } from "./grouped_reads.ts";
import { checkedKv } from "./checked_kv.ts";
import { change } from "./kv.ts";
import { type KvLimits, limitKv } from "./limited_kv.ts";
import { openCatalogKv, type OpenDeps, type OpenedKv } from "./open.ts";
import { presentKv } from "./present_kv.ts";
import { createReadMemory, rememberReads } from "./read_memory.ts";
import { ensureSchema } from "./schema.ts";

/** Where the catalog is. */
export type CatalogLocation =
  /** A file, or `:memory:`: for processes of one machine. */
  | { readonly kind: "file"; readonly path: string }
  /** A server that speaks KV Connect: for processes of many machines. */
  | { readonly kind: "server"; readonly url: string }
  /** What the platform that the program runs on gives it. */
  | { readonly kind: "platform" };

type Elsewhere = Exclude<CatalogLocation, { kind: "file" }>;

/** Returns the location that a configuration names. */
export function catalogLocation(
  catalog: "file" | "deploy" | URL,
  dataFolder: string,
): CatalogLocation {
  if (catalog === "file") return { kind: "file", path: `${dataFolder}/catalog.kv` };
  return catalog === "deploy" ? { kind: "platform" } : { kind: "server", url: catalog.href };
}

/**
 * What is waited for a catalog that is not on this machine. Each call that hangs makes Deno write
 * four lines a second to standard error, so that few may; those that do end as soon as the catalog
 * is back, and let others begin.
 */
export const defaultLimits: KvLimits = { milliseconds: 10_000, maxHanging: 16 };

/** How a catalog is opened. */
export interface LocationDeps extends OpenDeps {
  /** What is waited for one that is not on this machine; 10 s where absent. */
  readonly limits?: KvLimits;
  /** The disk of one that is in a file, where other code asks how it is. */
  readonly disk?: Disk;
}

/** Opens the catalog, in its present form. Throws a sentence where it cannot be had. */
export async function openLocation(
  location: CatalogLocation,
  deps: LocationDeps,
): Promise<OpenedKv> {
  if (location.kind === "file") return await openFile(location.path, deps);
  const kv = await openAway(location, deps.limits ?? defaultLimits);
  try {
    await ensureSchema(kv, deps.sleep, `The catalog ${nameOf(location)}`, deps.report);
  } catch (error) {
    kv.close();
    throw error;
  }
  return {
    kv: checkedKv(kv, deps.warn),
    close() {
      kv.close();
      return Promise.resolve();
    },
  };
}

/** A file of this machine: its steps go together, and what was read holds until a write. */
async function openFile(path: string, deps: LocationDeps): Promise<OpenedKv> {
  const opened = await openWatched(path, deps);
  const counter = path === ":memory:" ? undefined : await provenCounter(opened.kv, path, deps);
  const memory = counter && createReadMemory(counter);
  const grouped = checkedKv(
    groupReads(groupCommits(onDisk(opened.kv, deps.disk ?? createDisk("the catalog")), memory)),
    deps.warn,
  );
  if (!counter || !memory) return { ...opened, kv: grouped };
  return {
    ...opened,
    kv: rememberReads(grouped, memory),
    memory,
    async close() {
      await opened.close();
      counter.close();
    },
  };
}

/** A file that is missed when it is moved away. */
async function openWatched(path: string, deps: LocationDeps): Promise<OpenedKv> {
  const opened = await openCatalogKv(path, deps);
  const { isPresent } = opened;
  if (!isPresent) return opened;
  const { warn = () => {} } = deps;
  return { ...opened, ...presentKv(opened.kv, { isPresent, warn, name: `The catalog ${path}` }) };
}

/** A counter that a commit has been seen to move; without one the catalog is read each time. */
async function provenCounter(
  kv: Deno.Kv,
  path: string,
  { sleep, report }: LocationDeps,
): Promise<ChangeCounter | undefined> {
  let counter: ChangeCounter | undefined;
  try {
    counter = openChangeCounter(path);
    const before = counter.now();
    await change(sleep, async () => {
      await kv.delete(["check"]);
      return { done: undefined };
    });
    if (counter.now() !== before) return counter;
  } catch (error) {
    report?.(`What is read of the catalog is not remembered: ${reasonOf(error)}`);
  }
  counter?.close();
  return undefined;
}

function nameOf(location: Elsewhere): string {
  return location.kind === "server" ? location.url : "of the platform";
}

async function openAway(
  location: Elsewhere,
  limits: KvLimits,
): Promise<Deno.Kv> {
  const path = location.kind === "server" ? location.url : undefined;
  const opening = Deno.openKv(path);
  try {
    const kv = limitKv(await openSoon(opening, limits), limits);
    // Opening does not reach the catalog yet: reading the first key shows whether it is there.
    await kv.get(["check"]).catch((error: unknown) => {
      kv.close();
      throw error;
    });
    return kv;
  } catch (error) {
    throw new Failure(
      "internal",
      location.kind === "server"
        ? `Cannot open the catalog ${location.url}: ${reasonOf(error)}. See that the server of ` +
          "BATCHWAY_CATALOG runs and speaks KV Connect, and that DENO_KV_ACCESS_TOKEN is its token"
        : `Cannot open the platform's catalog: ${reasonOf(error)}. See that a KV database is ` +
          "assigned to the app, or name another catalog with BATCHWAY_CATALOG",
      { cause: error },
    );
  }
}

/** A KV that opens too late is closed again. */
async function openSoon(opening: Promise<Deno.Kv>, { milliseconds }: KvLimits): Promise<Deno.Kv> {
  const kv = await inTime(opening, milliseconds);
  if (kv) return kv;
  opening.then((late) => late.close(), () => {});
  throw new Error(`no answer in ${milliseconds / 1000} s`);
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Failure ? error.details.cause ?? error : error;
  return (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, "");
}
