/** Programs of Debian's packages, unpacked into the cache: nothing is installed on the machine. */
import { join } from "node:path";
import { attempt, cache, makeOnce, say } from "./program.ts";

/** A program: its path, or why there is none. */
export type Program =
  | { readonly state: "ready"; readonly path: string }
  | { readonly state: "missing"; readonly reason: string };

/** Which program, and where it is. */
export interface DebianProgram {
  /** Its name on the search path. */
  readonly name: string;
  /** The package's name; the program's where absent. */
  readonly package?: string;
  /** Its path within the package. */
  readonly path: string;
  /** Arguments with which it tells of itself. */
  readonly probe: readonly string[];
}

/** A program: that on the search path, else Debian's, unpacked once. */
export async function debianProgram(
  { name, package: packageName = name, path, probe }: DebianProgram,
): Promise<Program> {
  if ((await attempt(name, probe))?.code === 0) return { state: "ready", path: name };
  const folder = join(cache, name);
  const own = join(folder, path);
  // While another process unpacks it, the file is there and cannot be run: "Text file busy".
  const works = async () => (await attempt(own, probe).catch(() => undefined))?.code === 0;
  let reason: string | undefined;
  await makeOnce(name, works, async () => {
    say(`${name}: unpacking Debian's package into ${folder} (once)`);
    reason = await unpack(packageName, folder);
    if (reason === undefined && !await works()) reason = `${own} does not run here`;
  });
  return reason === undefined ? { state: "ready", path: own } : { state: "missing", reason };
}

/** Why it cannot be had, if so. */
async function unpack(name: string, folder: string): Promise<string | undefined> {
  const advice = `install ${name} (on Debian and Ubuntu: apt-get install ${name})`;
  await Deno.mkdir(folder, { recursive: true });
  const downloaded = await attempt("apt-get", ["download", name], { cwd: folder });
  if (downloaded?.code !== 0) return `${advice}; ${downloaded?.stderr ?? "apt-get was not found"}`;
  for await (const { name: file } of Deno.readDir(folder)) {
    if (!file.endsWith(".deb")) continue;
    const unpacked = await attempt("dpkg-deb", ["-x", join(folder, file), folder]);
    if (unpacked?.code !== 0) return `${advice}; ${unpacked?.stderr ?? "dpkg-deb was not found"}`;
    await Deno.remove(join(folder, file));
  }
  return undefined;
}
