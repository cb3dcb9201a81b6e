/**
 * Real Python clients for the tests: a virtual environment with the pinned packages of
 * `tests/requirements.txt`, made once in `.cache/venv` and used again until that file changes.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  attempt,
  cache,
  isStamped,
  makeOnce,
  type ProgramResult,
  runProgram,
  say,
} from "./program.ts";

/** boto3 1.44 needs 3.10. */
const oldest = "3.10";
const windows = Deno.build.os === "windows";

/** How a Python program ended. */
export type PythonResult = ProgramResult;

/** A virtual environment with the packages of a file. */
export interface Venv {
  /** What its packages are for, for the messages. */
  readonly what: string;
  /** Its folder in the cache. */
  readonly name: string;
  /** Path of the file with its packages. */
  readonly requirements: string;
}

const clients: Venv = {
  what: "Python clients",
  name: "venv",
  requirements: fileURLToPath(new URL("./requirements.txt", import.meta.url)),
};

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
  ready ??= ensureVenv(clients).catch((error: unknown) => {
    ready = undefined;
    throw error;
  });
  return ready;
}

/**
 * Sees to it that a virtual environment is there and matches its packages' file. Answers and throws
 * as {@linkcode ensurePython}.
 */
export async function ensureVenv(venv: Venv): Promise<string> {
  const python = programOf(venv, "python");
  const wanted = createHash("sha256").update(await Deno.readFile(venv.requirements)).digest("hex");
  await makeOnce(
    venv.name,
    // It was finished for these packages, and its Python still starts.
    async () =>
      await isStamped(stampOf(venv), wanted) && (await attempt(python, ["-c", ""]))?.code === 0,
    () => build(venv, python, wanted),
  );
  return python;
}

/** The path of a program in a virtual environment. */
export function programOf({ name }: Venv, program: string): string {
  return join(cache, name, windows ? `Scripts/${program}.exe` : `bin/${program}`);
}

/**
 * Runs a Python program to its end in the virtual environment, as {@linkcode runProgram} does.
 *
 * @param script Path or file URL.
 */
export async function runPython(
  script: string | URL,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  timeoutSeconds = 120,
): Promise<PythonResult> {
  const path = typeof script === "string" ? script : fileURLToPath(script);
  return await runProgram(await ensurePython(), [path, ...args], env, timeoutSeconds);
}

function stampOf({ name }: Venv): string {
  return join(cache, name, "requirements.sha256");
}

async function build(venv: Venv, python: string, wanted: string): Promise<void> {
  const { what, name, requirements } = venv;
  const folder = join(cache, name);
  const base = await findPython();
  say(`${what}: making ${folder} with ${base} (once)`);
  await Deno.remove(folder, { recursive: true }).catch((error: unknown) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const made = await attempt(base, ["-m", "venv", folder]);
  if (made?.code !== 0) {
    throw new Error(
      `Cannot make a virtual environment with ${base}: install Python's venv module ` +
        `(on Debian and Ubuntu: apt-get install python3-venv) and run the tests again.\n` +
        `${made?.stdout ?? ""}${made?.stderr ?? ""}`,
    );
  }
  say(`${what}: installing ${requirements}`);
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
      `Cannot install ${requirements}: pip needs to reach a package index ` +
        `(set PIP_INDEX_URL for a mirror).\n${installed?.stdout ?? ""}${installed?.stderr ?? ""}`,
    );
  }
  await Deno.writeTextFile(stampOf(venv), wanted);
  say(`${what}: ready`);
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
