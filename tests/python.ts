/**
 * Real Python clients for the tests: a virtual environment with the pinned packages of
 * `tests/requirements.txt`, made once in `.cache/venv` and used again until that file changes.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const requirements = fileURLToPath(new URL("./requirements.txt", import.meta.url));
const cache = join(root, ".cache");
const venv = join(cache, "venv");
const stamp = join(venv, "requirements.sha256");
const windows = Deno.build.os === "windows";
const python = join(venv, windows ? "Scripts/python.exe" : "bin/python");

/** boto3 1.44 needs 3.10. */
const oldest = "3.10";

/** How a Python program ended. */
export interface PythonResult {
  /** Its exit code. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let ready: Promise<string> | undefined;

/**
 * Sees to it that the virtual environment is there and matches `tests/requirements.txt`.
 *
 * The first call on a machine takes some seconds and tells of it on standard error; whoever calls
 * in the meantime, from this process or another, waits for it.
 *
 * @returns The path of its Python.
 * @throws {Error} Where there is no Python, it is too old, its `venv` module is missing, or the
 * packages cannot be installed; the message says what to do.
 */
export function ensurePython(): Promise<string> {
  ready ??= prepare().catch((error: unknown) => {
    ready = undefined;
    throw error;
  });
  return ready;
}

/**
 * Runs a Python program to its end in the virtual environment.
 *
 * The program sees nothing of the surrounding environment but the search path and the folder for
 * temporary files, so that neither AWS settings nor proxies of this machine change what a test shows.
 *
 * @param script Path or file URL.
 * @param args Its arguments.
 * @param env Its environment variables.
 * @param timeoutSeconds It is killed after this time.
 * @throws {Error} Where it ran out of time; the message ends with what it printed until then.
 */
export async function runPython(
  script: string | URL,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  timeoutSeconds = 120,
): Promise<PythonResult> {
  const path = typeof script === "string" ? script : fileURLToPath(script);
  const child = new Deno.Command(await ensurePython(), {
    args: [path, ...args],
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
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    const result = { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    if (late) {
      throw new Error(
        `Stopped ${path} after ${timeoutSeconds} seconds.\n${result.stdout}${result.stderr}`,
      );
    }
    return result;
  } finally {
    clearTimeout(timer);
  }
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

async function prepare(): Promise<string> {
  const wanted = createHash("sha256").update(await Deno.readFile(requirements)).digest("hex");
  if (await isReady(wanted)) return python;
  await Deno.mkdir(cache, { recursive: true });
  using lock = await Deno.open(join(cache, "venv.lock"), { write: true, create: true });
  // Other processes may run tests too: whoever gets the lock first builds, the others look again.
  await lock.lock(true);
  if (!await isReady(wanted)) await build(wanted);
  return python;
}

/** Whether the environment was finished for these requirements and its Python still starts. */
async function isReady(wanted: string): Promise<boolean> {
  try {
    if (await Deno.readTextFile(stamp) !== wanted) return false;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  return (await attempt(python, ["-c", ""]))?.code === 0;
}

async function build(wanted: string): Promise<void> {
  const base = await findPython();
  say(`Python clients: making ${venv} with ${base} (once)`);
  await Deno.remove(venv, { recursive: true }).catch((error: unknown) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const made = await attempt(base, ["-m", "venv", venv]);
  if (made?.code !== 0) {
    throw new Error(
      `Cannot make a virtual environment with ${base}: install Python's venv module ` +
        `(on Debian and Ubuntu: apt-get install python3-venv) and run the tests again.\n` +
        `${made?.stdout ?? ""}${made?.stderr ?? ""}`,
    );
  }
  say("Python clients: installing tests/requirements.txt");
  const installed = await attempt(python, [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--no-input",
    "--disable-pip-version-check",
    "--requirement",
    requirements,
  ]);
  if (installed?.code !== 0) {
    throw new Error(
      "Cannot install tests/requirements.txt: pip needs to reach a package index " +
        `(set PIP_INDEX_URL for a mirror).\n${installed?.stdout ?? ""}${installed?.stderr ?? ""}`,
    );
  }
  await Deno.writeTextFile(stamp, wanted);
  say("Python clients: ready");
}

/** The first Python of this machine that is new enough. */
async function findPython(): Promise<string> {
  const check = `import sys; print("%d.%d" % sys.version_info[:2])`;
  const seen: string[] = [];
  for (const name of ["python3", "python"]) {
    const found = await attempt(name, ["-c", check]);
    if (found === undefined || found.code !== 0) continue;
    const version = found.stdout.trim();
    if (isAtLeast(version, oldest)) return name;
    seen.push(`${name} is ${version}`);
  }
  const why = seen.length === 0 ? "neither python3 nor python was found" : seen.join(", ");
  throw new Error(`Cannot run the Python clients: install Python ${oldest} or newer (${why}).`);
}

function isAtLeast(version: string, least: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split(".").map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** Runs a program to its end; undefined where there is no such program. */
async function attempt(
  program: string,
  args: readonly string[],
): Promise<PythonResult | undefined> {
  try {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args: [...args],
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}
