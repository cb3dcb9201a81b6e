/**
 * `deno task sandbox`: the gateway on simulated providers, in one process, without keys or network.
 */
import { parseArgs } from "node:util";
import { ConfigurationError, parseConfig } from "../config/config.ts";
import { startGateway } from "../gateway.ts";
import { announce, logOf, run } from "../program.ts";
import { runUntilSignal } from "../process.ts";
import { sandboxEnvironment } from "./environment.ts";
import { type Sandbox, startSandbox } from "./server.ts";
import { snippet } from "./snippet.ts";

const usage = `deno task sandbox [options]
  --batch-seconds N    how long a batch takes (3)
  --window-seconds N   what stands for the providers' 24 hours (86400)
  --port N             port of the simulated providers (any)
  --strict             Bedrock's real limits: 12-digit accounts, 100 records, existing buckets
State is kept in the folder that BATCHWAY_DATA names, or in memory without it.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      "batch-seconds": { type: "string", default: "3" },
      "window-seconds": { type: "string", default: "86400" },
      "port": { type: "string", default: "0" },
      "strict": { type: "boolean", default: false },
      "help": { type: "boolean", default: false },
    },
  });
  if (values.help) {
    print(usage);
    return 0;
  }
  const data = Deno.env.get("BATCHWAY_DATA") || undefined;
  const sandbox = await startSandbox({
    batchSeconds: number("--batch-seconds", values["batch-seconds"]),
    windowSeconds: number("--window-seconds", values["window-seconds"]),
    port: number("--port", values.port),
    strict: values.strict,
    ...(data !== undefined && { folder: `${data}/sandbox` }),
  });
  const environment = environmentOf(sandbox);
  const path = environment["BATCHWAY_CONFIG"];
  const text = path ? await Deno.readTextFile(path) : undefined;
  const config = await parseConfig(environment, text, path ?? "");
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
function environmentOf(sandbox: Sandbox): Record<string, string> {
  const { AWS_SESSION_TOKEN: _, AWS_PROFILE: __, GOOGLE_API_KEY: ___, ...own } = Deno.env
    .toObject();
  return {
    BATCHWAY_POLL_SECONDS: "1",
    ...own,
    ...sandboxEnvironment(sandbox),
  };
}

function number(option: string, text: string): number {
  if (/^[0-9]+(\.[0-9]+)?$/.test(text)) return Number(text);
  throw new ConfigurationError([{ place: option, message: "must be a number, such as 3 or 0.5" }]);
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

await run(main);
