/** Runs a program: its log and its last words on standard error, and its exit code. */
import { UsageError } from "./config/arguments.ts";
import type { Config } from "./config/config.ts";
import { createLog, type Log } from "./log.ts";
import { startTracing } from "./runtime/tracing.ts";

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

/** Logs something that must not stop the program where it cannot be written. */
function say(text: string): void {
  try {
    write(text);
  } catch {
    // There is no other place to report it.
  }
}

/** Makes the log that the configuration asks for, on standard error. */
export function logOf({ log }: Pick<Config, "log">): Log {
  const format = log ?? (Deno.stderr.isTerminal() ? "pretty" : "json");
  return createLog({ format, now: () => new Date(), write });
}

/** Says that the gateway serves; scripts wait for this line. */
export function announce(config: Pick<Config, "log">, log: Log, url: string): void {
  const message = `Batchway listening on ${url}`;
  if (config.log === "json") log.info(message);
  else say(message);
}

/**
 * A command: runs a command line in an environment, and returns its exit code. Throws
 * {@linkcode UsageError} where the line is not understood, and an error with a sentence where it
 * fails.
 */
export type Command = (
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
) => Promise<number>;

/** Prints a line, or several, on standard output. */
export function print(text: string): void {
  const bytes = encoder.encode(`${text}\n`);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/** Runs a command as the program, and turns what stops it into a sentence and an exit code. */
export async function runMain(command: Command): Promise<never> {
  // A command that may not read the environment needs nothing of it.
  const { state } = Deno.permissions.querySync({ name: "env" });
  const environment = state === "granted" ? Deno.env.toObject() : {};
  try {
    startTracing(environment);
    Deno.exit(await command(Deno.args, environment));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // The configuration may be what is wrong, so the variable is read here.
    if (environment["BATCHWAY_LOG"] !== "json") say(message);
    else createLog({ format: "json", now: () => new Date(), write }).warn(message);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}
