/** Disks that are full when a test says so: a small one of their own, or a process that may not write. */
import { type GatewayProcess, spawnGateway, unlimited } from "../gateway.ts";

/** A gateway process whose disk can be filled. */
export interface CrampedGateway {
  readonly gateway: GatewayProcess;
  /** Its `BATCHWAY_DATA`. */
  readonly folder: string;
  /** From now on there is no room. */
  fill(): Promise<void>;
  /** From now on there is room. */
  free(): Promise<void>;
  /** Ends it, whatever happened, and takes its disk away. */
  remove(): Promise<void>;
}

/** Starts a gateway whose disk can be filled. */
type StartCramped = (environment: Readonly<Record<string, string>>) => Promise<CrampedGateway>;

/** A file system in memory of its own, which a file fills to its last byte. */
export interface SmallDisk {
  readonly folder: string;
  fill(): Promise<void>;
  free(): Promise<void>;
  remove(): Promise<void>;
}

/** Makes one. Throws where this machine does not allow it. */
export async function mountSmallDisk(): Promise<SmallDisk> {
  const folder = await Deno.makeTempDir({ prefix: "batchway-full-" });
  const filler = `${folder}/filler`;
  if (!await runs("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder)) {
    await Deno.remove(folder);
    throw new Error("No file system may be mounted here");
  }
  return {
    folder,
    async fill() {
      using file = await Deno.open(filler, { create: true, append: true });
      try {
        for (;;) await file.write(new Uint8Array(4096));
      } catch {
        // That was its last byte.
      }
    },
    free: () => Deno.remove(filler),
    async remove() {
      await runs("umount", "-l", folder);
      await Deno.remove(folder);
    },
  };
}

/** Starts a gateway on a small disk. Throws where this machine does not allow it. */
export const startOnSmallDisk: StartCramped = async (environment) => {
  const disk = await mountSmallDisk();
  const folder = `${disk.folder}/data`;
  try {
    const gateway = await spawnGateway({ ...environment, BATCHWAY_DATA: folder });
    return {
      ...disk,
      gateway,
      folder,
      async remove() {
        await gateway.kill();
        await disk.remove();
      },
    };
  } catch (error) {
    await disk.remove();
    throw error;
  }
};

/** A limit of the process: no file of it may grow beyond a page. The signal that comes with it is ignored. */
const withoutGrowth: StartCramped = async (environment) => {
  const folder = await Deno.makeTempDir({ prefix: "batchway-limit-" });
  const through = ["bash", "-c", `trap "" XFSZ; exec "$@"`, "bash"];
  const gateway = await spawnGateway(
    { ...environment, BATCHWAY_DATA: folder },
    unlimited(),
    through,
  );
  const limit = async (bytes: string) => {
    const isSet = await runs("prlimit", "--pid", `${gateway.pid}`, `--fsize=${bytes}:`);
    if (!isSet) throw new Error("prlimit could not set the limit");
  };
  return {
    gateway,
    folder,
    fill: () => limit("4096"),
    free: () => limit("unlimited"),
    async remove() {
      await gateway.kill();
      await Deno.remove(folder, { recursive: true });
    },
  };
};

/** Whether this machine lets tests mount a small disk. */
export const canMount = await mountSmallDisk().then((disk) => disk.remove()).then(
  () => true,
  () => false,
);
const canLimit = await runs("prlimit", "--version") && await runs("bash", "--version");

/** Ways of having no room, and whether this machine has them. */
export const waysOfNoRoom: readonly {
  readonly what: string;
  readonly ignore: boolean;
  readonly start: StartCramped;
}[] = [
  { what: "a disk that is full", ignore: !canMount, start: startOnSmallDisk },
  { what: "a limit that lets no file grow", ignore: !canLimit, start: withoutGrowth },
];

async function runs(program: string, ...args: string[]): Promise<boolean> {
  try {
    const command = new Deno.Command(program, { args, stdout: "null", stderr: "null" });
    return (await command.output()).success;
  } catch {
    return false;
  }
}
