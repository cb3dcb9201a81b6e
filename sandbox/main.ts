/**
 * `deno task sandbox`: the gateway on simulated providers, in one process, without keys or network.
 */
import {
  asksForHelp,
  readArguments,
  refuseWords,
  settings,
  settingsHelp,
  withSettings,
} from "../config/arguments.ts";
import { type Config, ConfigurationError, parseConfig } from "../config/config.ts";
import { type Gateway, type GatewayDeps, startGateway } from "../gateway.ts";
import { announce, logOf, print, runMain } from "../program.ts";
import { hearHangUps, runUntilSignal } from "../process.ts";
import { calledAs } from "../runtime/program_name.ts";
import { sandboxEnvironment } from "./environment.ts";
import { sandboxModels } from "./models.ts";
import { type Sandbox, startSandbox } from "./server.ts";
import { snippet } from "./snippet.ts";

const usage = (command: string) =>
  `${command} [options]
Runs the gateway on simulated providers in one process, without keys and without network, and prints
a boto3 program to paste. Ctrl-C ends it.
${settingsHelp}
  --simulators-port N  port of the simulated providers (any)
  --batch-seconds N    how long a batch takes (3)
  --window-seconds N   what stands for the providers' 24 hours (86400)
  --strict             Bedrock's real limits: 12-digit accounts, 100 records, existing buckets
  --stop-with-input    end when standard input ends, for programs that start a sandbox
  --help               print this
State is kept in the folder that --data or BATCHWAY_DATA names, or in memory without it.`;

const options = {
  ...settings,
  "simulators-port": { type: "string", default: "0" },
  "batch-seconds": { type: "string", default: "3" },
  "window-seconds": { type: "string", default: "86400" },
  strict: { type: "boolean", default: false },
  "stop-with-input": { type: "boolean", default: false },
} as const;

/** Runs the command line; returns its exit code when the sandbox has ended. */
export async function run(
  args: readonly string[],
  surroundings: Readonly<Record<string, string>>,
): Promise<number> {
  const command = calledAs("sandbox");
  if (asksForHelp(args)) {
    print(usage(command));
    return 0;
  }
  const hangUps = hearHangUps();
  const { values, positionals } = readArguments(command, args, options);
  refuseWords(command, positionals, options);
  const own = withSettings(surroundings, values);
  const data = own["BATCHWAY_DATA"] || undefined;
  const sandbox = await startSandbox({
    batchSeconds: number("--batch-seconds", values["batch-seconds"]),
    windowSeconds: number("--window-seconds", values["window-seconds"]),
    port: port("--simulators-port", values["simulators-port"]),
    strict: values.strict,
    ...(data !== undefined && { folder: `${data}/sandbox` }),
  }, { reset: (clear) => reset(clear) });
  const environment = environmentOf(own, sandbox);
  const path = environment["BATCHWAY_CONFIG"];
  const text = path ? await Deno.readTextFile(path) : undefined;
  const read = await parseConfig(environment, text, path ?? "");
  // With a file, a model that lacks there is missing here as it would be in production.
  const config = text === undefined ? { ...read, models: sandboxModels } : read;
  const log = logOf(config);
  const inMemory = data === undefined && config.catalog === "file";
  const gateway = await startAgain(config, {
    log,
    env: (name) => environment[name],
    ...(inMemory && { catalogPath: ":memory:" }),
  });
  // A catalog that is kept is not the sandbox's to empty.
  const reset = inMemory ? gateway.again : (clear: () => Promise<void>) => clear();
  await runUntilSignal(log, {
    ...(values["stop-with-input"] && { ended: endOfInput() }),
    announce() {
      announce(config, log, gateway.url);
      if (gateway.s3Url !== undefined) log.info(`S3 is at the root of ${gateway.s3Url}`);
      if (gateway.adminUrl !== undefined) {
        log.info(`Metrics and health of this process are at ${gateway.adminUrl}`);
      }
      const { url, controlUrl } = sandbox;
      log.info(`Simulated providers at ${url}, their faults at ${controlUrl}/faults`);
      if (config.log !== "json") print(snippet(gateway.url));
    },
    async close() {
      await gateway.close();
      await sandbox.close();
    },
  }, hangUps);
  return 0;
}

/** Resolves when standard input has ended: the process that holds it has ended, or closed it. */
async function endOfInput(): Promise<void> {
  const chunk = new Uint8Array(1024);
  while (await Deno.stdin.read(chunk) !== null);
}

/**
 * A gateway that can be started again with an empty catalog, at the same addresses: what it holds in
 * memory goes with it.
 */
async function startAgain(config: Config, deps: GatewayDeps) {
  let running: Gateway = await startGateway(config, deps);
  const { url, s3Url, adminUrl } = running;
  const portOf = (address: string | undefined) => address && Number(new URL(address).port);
  const placed: Config = {
    ...config,
    port: portOf(url) || config.port,
    ...(s3Url && { s3Port: Number(portOf(s3Url)) }),
    ...(adminUrl && { adminPort: Number(portOf(adminUrl)) }),
  };
  let turn = Promise.resolve();
  /** Runs when all that was asked before is done, also where that failed. */
  const inTurn = (work: () => Promise<void>) => turn = turn.catch(() => {}).then(work);
  return {
    url,
    s3Url,
    adminUrl,
    /** Empties the providers while no gateway runs. */
    again: (clear: () => Promise<void>) =>
      inTurn(async () => {
        await running.close();
        await clear();
        running = await startGateway(placed, deps);
      }),
    close: () => inTurn(() => running.close()),
  };
}

/** The environment with the simulated providers in the place of real ones. */
function environmentOf(
  own: Readonly<Record<string, string>>,
  sandbox: Sandbox,
): Record<string, string> {
  const { AWS_SESSION_TOKEN: _, AWS_PROFILE: __, GOOGLE_API_KEY: ___, ...kept } = own;
  return {
    BATCHWAY_POLL_SECONDS: "1",
    ...kept,
    ...sandboxEnvironment(sandbox),
  };
}

function number(option: string, text: string): number {
  if (/^[0-9]+(\.[0-9]+)?$/.test(text)) return Number(text);
  throw new ConfigurationError([{ place: option, message: "must be a number, such as 3 or 0.5" }]);
}

function port(option: string, text: string): number {
  if (/^[0-9]{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  const message = "must be a port from 0 (any free one) to 65535";
  throw new ConfigurationError([{ place: option, message }]);
}

if (import.meta.main) await runMain(run);
