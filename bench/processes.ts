/** Processes that are measured: started, asked whether they serve, looked at, and ended. */
import { fileURLToPath } from "node:url";

/** A process that serves. */
export interface ServingProcess {
  readonly url: string;
  readonly pid: number;
  /** Milliseconds from its start to its first answer. */
  readonly startMilliseconds: number;
  stop(): Promise<void>;
}

/** How a process is started. */
export interface ProcessOptions {
  /** The program and its arguments, made for the port that it is to listen on. */
  readonly command: (port: number) => readonly string[];
  /** Variables besides the search path and Deno's own. */
  readonly env?: (port: number) => Readonly<Record<string, string>>;
  /** The path that answers 200 once it serves. */
  readonly ready: string;
  /** Where standard error goes; nowhere where absent. */
  readonly log?: string;
}

const root = fileURLToPath(new URL("../", import.meta.url));
/** Before this many milliseconds a process must have answered. */
const patience = 60_000;
/** Kernel ticks a second, in which CPU times are told. */
const ticksPerSecond = 100;

/** The command that runs one of the project's files with the gateway's permissions. */
export function denoRun(fileAndArguments: readonly string[]): string[] {
  const allowed = ["net", "env", "read", "write", "sys"].map((one) => `--allow-${one}`);
  return [Deno.execPath(), "run", "--no-prompt", ...allowed, ...fileAndArguments];
}

/** Starts a process and waits for its first answer. */
export async function startProcess(options: ProcessOptions): Promise<ServingProcess> {
  const port = freePort();
  const begun = performance.now();
  // The shell gives the process a file to write to, and then becomes it.
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", 'exec "$@" 2>"$LOG_FILE"', "sh", ...options.command(port)],
    cwd: root,
    clearEnv: true,
    env: { ...inherited(), LOG_FILE: options.log ?? "/dev/null", ...options.env?.(port) },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  let ended = false;
  const status = child.status.finally(() => (ended = true));
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (!ended) child.kill("SIGTERM");
    await status;
  };
  while (!await answers(port, options.ready)) {
    if (ended || performance.now() - begun > patience) {
      await stop();
      const said = options.log && await Deno.readTextFile(options.log);
      throw new Error(`${options.command(port).join(" ")} did not start to serve. ${said ?? ""}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return { url, pid: child.pid, startMilliseconds: performance.now() - begun, stop };
}

/** Whether a server answers with 200; by hand, because a client with a pool would blur the time. */
async function answers(port: number, path: string): Promise<boolean> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const request = `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: close\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    const start = new Uint8Array(12);
    const read = await connection.read(start) ?? 0;
    return new TextDecoder().decode(start.subarray(0, read)) === "HTTP/1.1 200";
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    if (error instanceof Deno.errors.ConnectionReset) return false;
    throw error;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function inherited(): Record<string, string> {
  const names = ["PATH", "HOME", "DENO_DIR", "TMPDIR", "NO_COLOR"];
  return Object.fromEntries(
    names.map((name) => [name, Deno.env.get(name)]).filter(([, value]) => value !== undefined),
  );
}

/** Seconds of CPU that a process has used, user and system. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The name may hold spaces and parentheses; the fields behind it do not (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Peak and present resident memory of a process, in mebibytes. */
export async function memory(pid: number): Promise<{ peak: number; now: number }> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const read = (name: string) =>
    Number(new RegExp(`^${name}:\\s*([0-9]+) kB`, "m").exec(status)?.[1]) / 1024;
  return { peak: read("VmHWM"), now: read("VmRSS") };
}

/** Lets the peak begin anew at what is resident now. */
export async function resetPeak(pid: number): Promise<void> {
  await Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5");
}
