/** `deno task start`: the gateway with what the environment and the configuration file say. */
import { asksForHelp, settingsHelp, startCommand, startEnvironment } from "./config/arguments.ts";
import { type Config, loadConfig } from "./config/config.ts";
import { createLiveConfig } from "./config/live.ts";
import { startFacts } from "./config/start_facts.ts";
import { startGateway } from "./gateway.ts";
import { type HangUps, hearHangUps, runUntilSignal } from "./process.ts";
import { announce, logOf, print, runMain } from "./program.ts";
import { calledAs } from "./runtime/program_name.ts";

/** Returns why the gateway must not start with this configuration; undefined if it may. */
export function refusal(config: Config): string | undefined {
  if (config.providers.length === 0) {
    return "No provider is configured. Set OPENAI_API_KEY, GEMINI_API_KEY or ANTHROPIC_API_KEY, or " +
      "AWS_REGION with AWS credentials for Bedrock, or name providers in batchway.jsonc; " +
      `\`${calledAs("sandbox")}\` needs none of them`;
  }
  return undefined;
}

async function load(environment: Readonly<Record<string, string>>): Promise<Config> {
  const config = await loadConfig(environment);
  const reason = refusal(config);
  if (reason !== undefined) throw new Error(reason);
  return config;
}

const usage = () =>
  `${startCommand()} [options]
Runs the gateway with the providers that the environment and the configuration file name.
${settingsHelp}
  --help               print this
Without --data the folder is ./.batchway, without --config the file is ./batchway.jsonc, if it is there.
An option wins over its variable. docs/configuration.md lists all variables and settings.`;

/** Runs the command line; returns its exit code when the gateway has ended. */
export async function run(
  args: readonly string[],
  own: Readonly<Record<string, string>>,
): Promise<number> {
  if (asksForHelp(args)) {
    print(usage());
    return 0;
  }
  const hangUps = hearHangUps();
  return await serve(startEnvironment(args, own), hangUps);
}

/** Runs a gateway until a signal ends it. */
async function serve(
  environment: Readonly<Record<string, string>>,
  hangUps: HangUps,
): Promise<number> {
  const live = createLiveConfig(await load(environment));
  const { config } = live;
  const log = logOf(config);
  for (const note of config.notes) log.warn(note);
  const gateway = await startGateway(config, { log, env: (name) => environment[name] });
  await runUntilSignal(log, {
    announce() {
      log.info("Batchway has started", { ...startFacts(config), anonymous: gateway.isAnonymous });
      announce(config, log, gateway.url);
      if (gateway.s3Url !== undefined) log.info(`S3 is at the root of ${gateway.s3Url}`);
      if (gateway.adminUrl !== undefined) {
        log.info(`Metrics and health of this process are at ${gateway.adminUrl}`);
      }
    },
    lost: gateway.lost,
    close: gateway.close,
    async reload() {
      const next = await load(environment);
      for (const note of next.notes) log.warn(note);
      const { changed, needRestart } = live.replace(next);
      log.info("The configuration was read again", { changed });
      if (needRestart.length === 0) return;
      log.warn("Settings were changed that only the next start takes over", { needRestart });
    },
  }, hangUps);
  return 0;
}

if (import.meta.main) await runMain(run);
