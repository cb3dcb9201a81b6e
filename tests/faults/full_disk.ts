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

/** Starts a gateway; undefined where this machine does not allow such a disk. */
export type StartCramped = (
  environment: Readonly<Record<string, string>>,
) => Promise<CrampedGateway | undefined>;

/** A file system in memory of its own, which a file fills to its last byte. */
const onSmallDisk: StartCramped = async (environment) => {
  const folder = await Deno.makeTempDir({ prefix: "batchway-full-" });
  if (!await runs("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder)) {
    await Deno.remove(folder);
    return undefined;
  }
  const unmount = async () => {
    await runs("umount", "-l", folder);
    await Deno.remove(folder);
  };
  const filler = `${folder}/filler`;
  try {
    const gateway = await spawnGateway({ ...environment, BATCHWAY_DATA: `${folder}/data` });
    return {
      gateway,
      folder: `${folder}/data`,
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
        await gateway.kill();
        await unmount();
      },
    };
  } catch (error) {
    await unmount();
    throw error;
  }
};

/** A limit of the process: no file of it may grow beyond a page. The signal that comes with it is ignored. */
const withoutGrowth: StartCramped = async (environment) => {
  if (!await runs("prlimit", "--version") || !await runs("bash", "--version")) return undefined;
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

/** Ways of having no room, by what they are. */
export const waysOfNoRoom: Readonly<Record<string, StartCramped>> = {
  "a disk that is full": onSmallDisk,
  "a limit that lets no file grow": withoutGrowth,
};

async function runs(program: string, ...args: string[]): Promise<boolean> {
  try {
    const command = new Deno.Command(program, { args, stdout: "null", stderr: "null" });
    return (await command.output()).success;
  } catch {
    return false;
  }
}
