/** Everything that is measured, each a process of its own: upstreams, the bare reference, gateways. */
import { sandboxKeys } from "../sandbox/context.ts";
import type { Credentials } from "../codecs/sigv4.ts";
import { addKey } from "./gateway_key.ts";
import { startNginx } from "./nginx.ts";
import { prefill, type PrefillPlan } from "./prefill.ts";
import { denoRun, type ServingProcess, startProcess } from "./processes.ts";
import { anyKey } from "./requests.ts";

/** A gateway, and the key that its requests are signed with. */
export interface MeasuredGateway extends ServingProcess {
  readonly credentials: Credentials;
}

/** Who counts: the upstream of throughput cases, or the simulated providers. */
export type Counted = "upstream" | "sandbox";

/** The processes of one run. */
export interface World {
  readonly upstream: ServingProcess;
  readonly bare: ServingProcess;
  readonly gateway: MeasuredGateway;
  /** A gateway with authentication on; absent where it was not asked for. */
  readonly authenticating?: MeasuredGateway;
  /** Absent where nginx is not installed. */
  readonly nginx?: ServingProcess;
  /**
   * A gateway with an empty catalog and a bare reference, just started: what they hold in memory is
   * of the case alone. Whoever asks for them stops them.
   */
  startFresh(): Promise<{ readonly gateway: MeasuredGateway; readonly bare: ServingProcess }>;
  /** Counts the calls that providers get from now on, until the count is asked for. */
  countCalls(provider: Counted): Promise<() => Promise<number>>;
  close(): Promise<void>;
}

/** How a world is made. */
export interface WorldOptions {
  readonly catalog: PrefillPlan;
  readonly authentication: boolean;
  /** A folder for a CPU profile of the gateway. */
  readonly profile: string | undefined;
  readonly say: (line: string) => void;
}

/** Starts everything. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { say } = options;
  const folder = await Deno.makeTempDir({ prefix: "batchway-bench-" });
  const started: ServingProcess[] = [];
  const start = async <Process extends ServingProcess>(starting: Promise<Process>) => {
    const made = await starting;
    started.push(made);
    return made;
  };
  const close = async () => {
    for (const one of started.toReversed()) await one.stop();
    await Deno.remove(folder, { recursive: true });
  };
  try {
    const upstream = await start(startProcess({
      command: (port) => denoRun(["bench/upstream.ts", `${port}`]),
      ready: "/control/count",
    }));
    const sandbox = await start(startProcess({
      command: (port) => denoRun(["bench/sandbox.ts", `${port}`]),
      ready: "/control/faults",
    }));
    const startBare = () =>
      startProcess({
        command: (port) => denoRun(["bench/bare.ts", `${port}`, upstream.url]),
        ready: "/",
      });
    const bare = await start(startBare());
    const nginx = await startNginx(folder, upstream.url);
    if (nginx) started.push(nginx);
    else say("nginx is not installed: its column is left out");
    const configuration = `${folder}/batchway.jsonc`;
    await Deno.writeTextFile(configuration, configurationOf(sandbox.url));
    const run = (name: string) =>
      startProcess({
        command: () => denoRun([...profiling(options.profile), "main.ts"]),
        env: (port) => environment(upstream.url, configuration, `${folder}/${name}`, port),
        ready: "/healthz",
        log: `${folder}/${name}.log`,
      });
    say("Filling the catalog");
    await prefill(`${folder}/open/catalog.kv`, options.catalog);
    const gateway = { ...await start(run("open")), credentials: anyKey };
    let authenticating: MeasuredGateway | undefined;
    if (options.authentication) {
      await prefill(`${folder}/closed/catalog.kv`, { buckets: [1000], jobs: 1000 });
      const credentials = await addKey(
        environment(upstream.url, configuration, `${folder}/closed`, 0),
      );
      authenticating = { ...await start(run("closed")), credentials };
    }
    return {
      upstream,
      bare,
      gateway,
      ...(authenticating && { authenticating }),
      ...(nginx && { nginx }),
      async startFresh() {
        const fresh = await run(`fresh-${crypto.randomUUID()}`);
        return { gateway: { ...fresh, credentials: anyKey }, bare: await startBare() };
      },
      countCalls: (provider) =>
        provider === "upstream" ? countUpstream(upstream.url) : countSandbox(sandbox.url),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Deno writes the profile when the process ends. */
function profiling(folder: string | undefined): string[] {
  return folder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${folder}`];
}

async function countUpstream(url: string): Promise<() => Promise<number>> {
  const read = async (): Promise<number> => {
    const { calls } = await (await fetch(`${url}/control/count`)).json();
    return calls;
  };
  const before = await read();
  return async () => await read() - before;
}

/** The ledger keeps the last 10,000 requests, which is more than a round has. */
function countSandbox(url: string): Promise<() => Promise<number>> {
  const since = new Date().toISOString();
  return Promise.resolve(async () => {
    const { requests } = await (await fetch(`${url}/control/ledger`)).json();
    return requests.filter(({ time }: { time: string }) => time >= since).length;
  });
}

/** The provider `sandbox` is simulated with all that jobs need; the others swallow and give bytes. */
function configurationOf(sandboxUrl: string): string {
  const sandbox = {
    kind: "openai",
    baseUrl: `${sandboxUrl}/openai/v1`,
    apiKey: sandboxKeys.openai,
  };
  return JSON.stringify({ providers: { sandbox, bedrock: { kind: "bedrock" } } });
}

function environment(
  upstream: string,
  configuration: string,
  data: string,
  port: number,
): Record<string, string> {
  return {
    BATCHWAY_PORT: `${port}`,
    BATCHWAY_DATA: data,
    BATCHWAY_CONFIG: configuration,
    BATCHWAY_LOG: "json",
    // The sweep's work is not a request's.
    BATCHWAY_SWEEP_SECONDS: "3600",
    ...sandboxVariables(upstream),
    AWS_ACCESS_KEY_ID: sandboxKeys.awsAccessKeyId,
    AWS_SECRET_ACCESS_KEY: sandboxKeys.awsSecretAccessKey,
    AWS_REGION: "us-west-2",
    AWS_ENDPOINT_URL_S3: `${upstream}/s3`,
    AWS_ENDPOINT_URL_BEDROCK: `${upstream}/bedrock`,
  };
}

/** The variables by which a gateway finds simulated providers, or what swallows as they do. */
export function sandboxVariables(url: string): Record<string, string> {
  return {
    OPENAI_API_KEY: sandboxKeys.openai,
    OPENAI_BASE_URL: `${url}/openai/v1`,
    GEMINI_API_KEY: sandboxKeys.gemini,
    GOOGLE_GEMINI_BASE_URL: `${url}/gemini`,
  };
}
