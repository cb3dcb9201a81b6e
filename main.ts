/** `deno task start`: the gateway with what the environment and the configuration file say. */
import { type Config, loadConfig } from "./config.ts";
import { startGateway } from "./gateway.ts";
import { createLog, type Log } from "./log.ts";
import { runUntilSignal } from "./process.ts";

const encoder = new TextEncoder();
/** Whether a line was cut off because the disk had no room for its rest. */
let isTorn = false;

/** Writes lines to standard error, whole; throws where that cannot be. */
function write(lines: string): void {
  let rest = encoder.encode(`${isTorn ? "\n" : ""}${lines}\n`);
  while (rest.length > 0) {
    const written = Deno.stderr.writeSync(rest);
    rest = rest.subarray(written);
    isTorn = rest.length > 0;
  }
}

/** Tells something that must not stop the program where it cannot be written. */
function say(text: string): void {
  try {
    write(text);
  } catch {
    // There is no other place to tell it.
  }
}

/** Why the gateway must not start with this configuration; undefined if it may. */
export function refusal(config: Config): string | undefined {
  if (config.providers.length === 0) {
    return "No provider is configured. Set OPENAI_API_KEY, GEMINI_API_KEY or ANTHROPIC_API_KEY, or " +
      "AWS_REGION with AWS credentials for Bedrock, or name providers in batchway.jsonc; " +
      "`deno task sandbox` needs none of them";
  }
  return undefined;
}

/** Makes the log that the configuration asks for, on standard error. */
export function logOf(config: Config): Log {
  const format = config.log ?? (Deno.stderr.isTerminal() ? "pretty" : "json");
  return createLog({ format, now: () => new Date(), write });
}

/** Says that the gateway serves; scripts wait for this line. */
export function announce(config: Config, log: Log, url: string): void {
  const message = `Batchway listening on ${url}`;
  if (config.log === "json") log.info(message);
  else say(message);
}

async function main(): Promise<number> {
  const environment = Deno.env.toObject();
  const config = await loadConfig(environment);
  const reason = refusal(config);
  if (reason !== undefined) throw new Error(reason);
  const log = logOf(config);
  for (const note of config.notes) log.warn(note);
  const gateway = await startGateway(config, { log, env: (name) => environment[name] });
  await runUntilSignal(log, {
    announce() {
      announce(config, log, gateway.url);
      if (gateway.s3Url !== undefined) log.info(`S3 is at the root of ${gateway.s3Url}`);
    },
    lost: gateway.lost,
    close: gateway.close,
  });
  return 0;
}

/** Runs a program, and turns what stops it into a sentence and an exit code. */
export async function run(program: () => Promise<number>): Promise<never> {
  try {
    Deno.exit(await program());
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // The configuration may be what is wrong, so the variable is read here.
    if (Deno.env.get("BATCHWAY_LOG") !== "json") say(message);
    else createLog({ format: "json", now: () => new Date(), write }).warn(message);
    Deno.exit(1);
  }
}

if (import.meta.main) await run(main);
