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
import { ConfigurationError, parseConfig } from "../config/config.ts";
import { startGateway } from "../gateway.ts";
import { announce, logOf, print, runMain } from "../program.ts";
import { runUntilSignal } from "../process.ts";
import { calledAs } from "../runtime/program_name.ts";
import { sandboxEnvironment } from "./environment.ts";
import { sandboxModels } from "./models.ts";
import { type Sandbox, startSandbox } from "./server.ts";
import { snippet } from "./snippet.ts";

const usage = (command: string) =>
  `${command} [options]
${settingsHelp}
  --simulators-port N  port of the simulated providers (any)
  --batch-seconds N    how long a batch takes (3)
  --window-seconds N   what stands for the providers' 24 hours (86400)
  --strict             Bedrock's real limits: 12-digit accounts, 100 records, existing buckets
  --help               print this
State is kept in the folder that --data or BATCHWAY_DATA names, or in memory without it.`;

const options = {
  ...settings,
  "simulators-port": { type: "string", default: "0" },
  "batch-seconds": { type: "string", default: "3" },
  "window-seconds": { type: "string", default: "86400" },
  strict: { type: "boolean", default: false },
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
  });
  const environment = environmentOf(own, sandbox);
  const path = environment["BATCHWAY_CONFIG"];
  const text = path ? await Deno.readTextFile(path) : undefined;
  const read = await parseConfig(environment, text, path ?? "");
  // With a file, a model that lacks there is missing here as it would be in production.
  const config = text === undefined ? { ...read, models: sandboxModels } : read;
  const log = logOf(config);
  const gateway = await startGateway(config, {
    log,
    env: (name) => environment[name],
    ...(data === undefined && config.catalog === "file" && { catalogPath: ":memory:" }),
  });
  await runUntilSignal(log, {
    announce() {
      announce(config, log, gateway.url);
      if (gateway.s3Url !== undefined) log.info(`S3 is at the root of ${gateway.s3Url}`);
      const { url, controlUrl } = sandbox;
      log.info(`Simulated providers at ${url}, their faults at ${controlUrl}/faults`);
      if (config.log !== "json") print(snippet(gateway.url));
    },
    async close() {
      await gateway.close();
      await sandbox.close();
    },
  });
  return 0;
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
