/** Programs that tests run: their ends, and an environment that is the same on every machine. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where what tests set up once is kept. */
export const cache = fileURLToPath(new URL("../.cache", import.meta.url));

/** How a program ended. */
export interface ProgramResult {
  /** Its exit code. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end.
 *
 * It sees nothing of the surrounding environment but the search path and the folder for temporary
 * files, so that neither AWS settings nor proxies of this machine change what a test shows.
 *
 * @param program Its path, or its name on the search path.
 * @param args Its arguments.
 * @param env Its environment variables.
 * @param timeoutSeconds It is killed after this time.
 * @throws {Error} Where it ran out of time; the message ends with what it printed until then.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  timeoutSeconds = 120,
): Promise<ProgramResult> {
  const child = new Deno.Command(program, {
    args: [...args],
    clearEnv: true,
    env: { ...isolated(), ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, timeoutSeconds * 1000);
  try {
    const result = decoded(await child.output());
    if (late) {
      throw new Error(
        `Stopped ${[program, ...args].join(" ")} after ${timeoutSeconds} seconds.\n` +
          `${result.stdout}${result.stderr}`,
      );
    }
    return result;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Runs a program of the machine's own to its end, in this process's environment, to set something
 * up; undefined where there is no such program.
 */
export async function attempt(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<ProgramResult | undefined> {
  try {
    return decoded(
      await new Deno.Command(program, { args: [...args], stdin: "null", ...options }).output(),
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Tells on standard error what is being set up. */
export function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

/**
 * Makes something in the cache once. Other processes may run tests too: whoever gets the lock first
 * makes it, the others look again.
 *
 * @param name A name for the lock.
 * @param isReady Whether it is there.
 * @param make Makes it.
 */
export async function makeOnce(
  name: string,
  isReady: () => Promise<boolean>,
  make: () => Promise<void>,
): Promise<void> {
  if (await isReady()) return;
  await Deno.mkdir(cache, { recursive: true });
  using lock = await Deno.open(join(cache, `${name}.lock`), { write: true, create: true });
  await lock.lock(true);
  if (!await isReady()) await make();
}

/** Whether a stamp holds the digest of what something was made from. */
export async function isStamped(path: string, digest: string): Promise<boolean> {
  try {
    return await Deno.readTextFile(path) === digest;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function decoded({ code, stdout, stderr }: Deno.CommandOutput): ProgramResult {
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** The environment that every program gets. */
function isolated(): Record<string, string> {
  const env: Record<string, string> = {
    AWS_CONFIG_FILE: join(cache, "no-aws-config"),
    AWS_SHARED_CREDENTIALS_FILE: join(cache, "no-aws-credentials"),
    AWS_EC2_METADATA_DISABLED: "true",
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONUTF8: "1",
  };
  for (const name of ["PATH", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT"]) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  return env;
}
