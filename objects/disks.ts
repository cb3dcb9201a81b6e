/** The disks that the gateway writes to, and whether there is room on them. */
import { createDisk, type Disk, type DiskTrouble } from "../runtime/disk.ts";
import { makeFileIn } from "../runtime/files.ts";

/** Kinds of things on disk. */
export type Kept = "catalog" | "parts" | "objects" | "results" | "scratch";

/** The disks, by what is kept there. */
export interface Disks extends Readonly<Record<Kept, Disk>> {
  /**
   * Tries again where the last write was refused.
   *
   * @returns What is wrong still; empty where all is well.
   */
  check(): Promise<Partial<Record<Kept, DiskTrouble>>>;
  /** Throws `unavailable` where the catalog's disk refused its last write and still does. */
  checkCatalog(): Promise<void>;
}

/** Dependencies of the disks. */
export interface DisksDeps {
  /** Writes a little to a disk that refused its last write. */
  readonly probes: Readonly<Record<Kept, () => Promise<void>>>;
  /** Writes to the operator's log. */
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Makes the disks; nothing is written before the first write is refused. */
export function createDisks({ probes, warn }: DisksDeps): Disks {
  const disks: Readonly<Record<Kept, Disk>> = {
    catalog: createDisk("the catalog", warn),
    parts: createDisk("parts of uploads", warn),
    objects: createDisk("objects that are kept", warn),
    results: createDisk("results that are kept", warn),
    scratch: createDisk("results that are gathered", warn),
  };
  const kinds: readonly Kept[] = ["catalog", "parts", "objects", "results", "scratch"];

  async function probe(kept: Kept): Promise<void> {
    if (disks[kept].trouble() !== undefined) await disks[kept].write(probes[kept]);
  }

  return {
    ...disks,
    async check() {
      const troubles: Partial<Record<Kept, DiskTrouble>> = {};
      for (const kept of kinds) {
        await probe(kept).catch(() => {});
        const trouble = disks[kept].trouble();
        if (trouble !== undefined) troubles[kept] = trouble;
      }
      return troubles;
    },
    checkCatalog: () => probe("catalog"),
  };
}

/** More than a file system keeps beside the name of a file. */
const probeBytes = 64 * 1024;

/** Writes a file to a folder and removes it again. Throws what the file system does. */
export async function probeFolder(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const path = await makeFileIn(folder, ".draft-probe-");
  try {
    await Deno.writeFile(path, new Uint8Array(probeBytes));
  } finally {
    await Deno.remove(path);
  }
}
