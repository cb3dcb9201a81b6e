/** What the gateway has on this machine's disks, in bytes. */
import { createBreath } from "../runtime/breath.ts";
import { labels, type Registry } from "./registry.ts";
import { seldom } from "./seldom.ts";

/** Folders and files, by what is in them; those that do not exist hold nothing. */
export type StorageFolders = Readonly<Record<string, readonly string[]>>;

/** Files that one measurement looks at; what comes after them is not counted. */
const mostFiles = 100_000;

/** Adds the sizes of places that are on this machine. */
export function addStores(registry: Registry, places: StorageFolders, uptime: () => number): void {
  const bytes = registry.gauge(
    "batchway_store_bytes",
    "Bytes on this machine's disk: of the catalog, kept objects, kept results, and the spool.",
  );
  const measure = seldom(async () => {
    for (const [store, paths] of Object.entries(places)) {
      let sum = 0;
      for (const path of paths) sum += await sizeOf(path);
      bytes.set(labels({ store }), sum);
    }
  }, uptime);
  registry.beforeRender(measure);
}

/** Bytes of a file, or of all files below a folder. What vanishes meanwhile counts as nothing. */
async function sizeOf(path: string): Promise<number> {
  const breath = createBreath();
  let left = mostFiles;
  let sum = 0;
  const waiting = [path];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    await breath.take();
    const info = await Deno.stat(at).catch(ignoreMissing);
    if (info?.isFile) sum += info.size;
    if (info?.isFile && --left === 0) break;
    if (!info?.isDirectory) continue;
    try {
      for await (const { name, isSymlink } of Deno.readDir(at)) {
        if (!isSymlink) waiting.push(`${at}/${name}`);
      }
    } catch (error) {
      ignoreMissing(error);
    }
  }
  return sum;
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
  return undefined;
}
