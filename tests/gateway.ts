/** Gateways for tests: in this process or in one of their own, on simulated providers. */
import { fileURLToPath } from "node:url";
import { parseConfig } from "../config/config.ts";
import { type Gateway, type GatewayDeps, startGateway } from "../gateway.ts";
import { createLog } from "../log.ts";
import { sandboxEnvironment } from "../sandbox/environment.ts";
import { type Sandbox, type SandboxSettings, startSandbox } from "../sandbox/server.ts";

/** A gateway with its simulated providers. */
export interface TestGateway {
  readonly url: string;
  readonly gateway: Gateway;
  readonly sandbox: Sandbox;
  /** What the gateway logged: one JSON text a line. */
  readonly logged: readonly string[];
  stop(): Promise<void>;
}

/** How a gateway under test differs from the default one. */
export interface TestGatewayOptions {
  readonly sandbox?: SandboxSettings;
  /** Simulated providers that run already; whoever started them closes them. */
  readonly providers?: Sandbox;
  /** Variables besides those of the simulated providers. */
  readonly env?: Readonly<Record<string, string>>;
  /** The text of a configuration file. */
  readonly configuration?: string;
  /** Path of the catalog; in memory without it. */
  readonly catalogPath?: string;
  /** How long a catalog that `BATCHWAY_CATALOG` names is waited for. */
  readonly catalogLimits?: GatewayDeps["catalogLimits"];
  /** The time; the system's where absent. */
  readonly clock?: GatewayDeps["clock"];
  readonly leaseMilliseconds?: GatewayDeps["leaseMilliseconds"];
  readonly longestCreateMilliseconds?: GatewayDeps["longestCreateMilliseconds"];
  readonly providerTimeouts?: GatewayDeps["providerTimeouts"];
}

/** Starts a gateway in this process, on a port that is free. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const { clock, leaseMilliseconds, longestCreateMilliseconds, catalogLimits } = options;
  const { providerTimeouts } = options;
  const sandbox = options.providers ??
    await startSandbox({ batchSeconds: 1, ...options.sandbox });
  const environment = {
    BATCHWAY_PORT: "0",
    BATCHWAY_POLL_SECONDS: "0",
    ...sandboxEnvironment(sandbox),
    ...options.env,
  };
  const config = await parseConfig(environment, options.configuration, "batchway.jsonc");
  const logged: string[] = [];
  const log = createLog({
    format: "json",
    now: () => new Date(),
    write: (lines) => logged.push(...lines.split("\n")),
  });
  const gateway = await startGateway(config, {
    log,
    env: (name) => (environment as Record<string, string>)[name],
    ...(config.catalog === "file" && { catalogPath: options.catalogPath ?? ":memory:" }),
    ...(clock && { clock }),
    ...(catalogLimits && { catalogLimits }),
    ...(leaseMilliseconds !== undefined && { leaseMilliseconds }),
    ...(longestCreateMilliseconds !== undefined && { longestCreateMilliseconds }),
    ...(providerTimeouts && { providerTimeouts }),
  });
  return {
    url: gateway.url,
    gateway,
    sandbox,
    logged,
    async stop() {
      await gateway.close();
      if (!options.providers) await sandbox.close();
    },
  };
}

/** A gateway in a process of its own. */
export interface GatewayProcess {
  readonly url: string;
  readonly pid: number;
  /** What it wrote on standard error so far. */
  log(): string;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Ends it as an operator does; its exit code. */
  stop(): Promise<number>;
}

const root = fileURLToPath(new URL("../", import.meta.url));

/** What `deno` is told to run a program with all permissions. */
export function unlimited(program = `${root}main.ts`): string[] {
  return ["run", "--no-prompt", "--cached-only", "-A", program];
}

/**
 * Starts a gateway as a process, with these variables alone, and waits until it serves.
 *
 * @param args What `deno` is told: `main.ts` with all permissions, unless given.
 * @param through A program and its arguments that runs `deno` in its own place; none unless given.
 */
export async function spawnGateway(
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = unlimited(),
  through: readonly string[] = [],
): Promise<GatewayProcess> {
  const [program = Deno.execPath(), ...rest] = [...through, Deno.execPath(), ...args];
  const child = new Deno.Command(program, {
    args: rest,
    cwd: root,
    clearEnv: true,
    env: {
      HOME: Deno.env.get("HOME") ?? "/",
      ...(Deno.env.get("DENO_DIR") !== undefined && { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" }),
      BATCHWAY_PORT: "0",
      ...environment,
    },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let log = "";
  const ready = Promise.withResolvers<string>();
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      log += text;
      const url = /Batchway listening on (http:\/\/[0-9A-Za-z.:]+)/.exec(log)?.[1];
      if (url !== undefined) ready.resolve(url);
    }
    ready.reject(new Error(`The gateway ended before it served:\n${log}`));
  })();
  const end = async (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
    const { code } = await child.status;
    await reading;
    return code;
  };
  return {
    url: await ready.promise,
    pid: child.pid,
    log: () => log,
    async kill() {
      await end("SIGKILL");
    },
    stop: () => end("SIGTERM"),
  };
}
