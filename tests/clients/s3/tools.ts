/**
 * Real S3 clients besides boto3, each set up once in `.cache`: awscli and s3cmd from PyPI, s5cmd and
 * a program over minio-go from Go's module proxy, all pinned; rclone as the machine or Debian has it.
 * One that cannot be had is missing with a reason, and its tests are ignored with that in their name.
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
} from "../../program.ts";
import { debianProgram, type Program } from "../../debian.ts";
import { ensureVenv, programOf, type Venv } from "../../python.ts";

/** A client: the path of its program, or why there is none. */
export type Client = Program;

/** Runs a client; what it printed. */
export type Run = (
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
) => Promise<ProgramResult>;

const venv: Venv = {
  what: "S3 clients of Python",
  name: "venv-s3",
  requirements: fileURLToPath(new URL("./requirements.txt", import.meta.url)),
};

const goSource = fileURLToPath(new URL("./go", import.meta.url));
const goBin = join(cache, "go", "bin");
const goStamp = join(goBin, "source.sha256");
const goFiles = ["go.mod", "go.sum", "minio/main.go"];
/** What Go says where it is the network or Go's age that is in the way, not a program. */
const unreachable =
  /dial tcp|no such host|reading https?:|TLS handshake|i\/o timeout|requires go >=/;

/** A client of the virtual environment. */
export async function pythonClient(program: "aws" | "s3cmd"): Promise<Client> {
  try {
    await ensureVenv(venv);
    return { state: "ready", path: programOf(venv, program) };
  } catch (error) {
    return missing(error instanceof Error ? error.message : `${error}`);
  }
}

/** A client that Go builds. Throws where a program of ours does not compile. */
export async function goClient(program: "s5cmd" | "minio"): Promise<Client> {
  const hash = createHash("sha256");
  for (const file of goFiles) hash.update(await Deno.readFile(join(goSource, file)));
  const digest = hash.digest("hex");
  let reason: string | undefined;
  await makeOnce("go", () => isStamped(goStamp, digest), async () => {
    reason = await buildGo();
    if (reason === undefined) await Deno.writeTextFile(goStamp, digest);
  });
  return reason === undefined ? { state: "ready", path: join(goBin, program) } : missing(reason);
}

/** Builds the programs; why that cannot be done here, if so. */
async function buildGo(): Promise<string | undefined> {
  say(`S3 clients of Go: building ${goBin} (once, about a minute)`);
  await Deno.mkdir(goBin, { recursive: true });
  const built = await attempt(
    "go",
    ["build", "-mod=readonly", "-o", `${goBin}/`, "github.com/peak/s5cmd/v2", "./minio"],
    { cwd: goSource, env: { GOFLAGS: "-buildvcs=false" } },
  );
  if (built === undefined) return "go was not found: install Go 1.25 or newer";
  if (built.code === 0) return undefined;
  if (unreachable.test(built.stderr)) return built.stderr;
  throw new Error(`Cannot build the S3 clients of ${goSource}:\n${built.stderr}`);
}

/** rclone: that on the search path, else Debian's. */
export function rcloneClient(): Promise<Client> {
  return debianProgram({ name: "rclone", path: "usr/bin/rclone", probe: ["version"] });
}

/** Registers a test of a client; where that is missing, an ignored one that says why. */
export function clientTest(
  client: Client,
  name: string,
  work: (run: Run) => Promise<void>,
): void {
  if (client.state === "missing") {
    say(`Ignored: ${name}: ${client.reason}`);
    Deno.test({ name: `${name} (ignored: ${firstLine(client.reason)})`, ignore: true, fn() {} });
    return;
  }
  const { path } = client;
  Deno.test(name, () => work((args, env) => runProgram(path, args, env)));
}

function missing(reason: string): Client {
  return { state: "missing", reason };
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
