/** Runs a program: its log and its last words on standard error, and its exit code. */
import { UsageError } from "./config/arguments.ts";
import type { Config } from "./config/config.ts";
import { createLog, type Log } from "./log.ts";

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

/** Runs a program, and turns what stops it into a sentence and an exit code. */
export async function run(program: () => Promise<number>): Promise<never> {
  try {
    Deno.exit(await program());
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // The configuration may be what is wrong, so the variable is read here.
    if (Deno.env.get("BATCHWAY_LOG") !== "json") say(message);
    else createLog({ format: "json", now: () => new Date(), write }).warn(message);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}
