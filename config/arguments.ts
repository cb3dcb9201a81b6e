/** The command line of every command: options, words, and help, read in one way. */
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { nearest } from "../codecs/nearest.ts";
import { calledAs } from "../runtime/program_name.ts";

/** The command line was not understood: its reader ends with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Options that stand for variables of the environment. */
export const settings = {
  host: { type: "string" },
  port: { type: "string" },
  data: { type: "string" },
  config: { type: "string" },
} as const;

/** Those of them that commands beside the gateway take: they listen nowhere. */
export const commandSettings = { data: settings.data, config: settings.config } as const;

const variables = [
  ["host", "BATCHWAY_HOST"],
  ["port", "BATCHWAY_PORT"],
  ["data", "BATCHWAY_DATA"],
  ["config", "BATCHWAY_CONFIG"],
] as const;

/** How the help of a command describes the options that stand for variables. */
export const settingsHelp = `  --host ADDRESS       where to listen (BATCHWAY_HOST, else 127.0.0.1)
  --port N             port to listen on, 0 for any (BATCHWAY_PORT, else 8080)
  --data FOLDER        folder of the catalog and the spool (BATCHWAY_DATA)
  --config FILE        configuration file (BATCHWAY_CONFIG)`;

/** Returns whether a command line asks for help, wherever that stands. */
export function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? undefined : end).some((one) => one === "--help" || one === "-h");
}

/**
 * Reads a command line.
 *
 * @param command As its user calls it, such as `deno task start`.
 * @throws {UsageError} for an unknown option, which names the nearest known one, for a repeated
 *   one, and for one without its value.
 */
export function readArguments<Options extends ParseArgsOptionsConfig>(
  command: string,
  args: readonly string[],
  options: Options,
) {
  const { tokens } = parseArgs({
    args: [...args],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { name, rawName, value, inlineValue } = token;
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (!option) throw unknownOption(command, rawName, [...Object.keys(options), "help"]);
    if (seen.has(name)) throw new UsageError(`--${name} is given twice. Give it once`);
    seen.add(name);
    const isFlag = option.type === "boolean";
    if (isFlag && value !== undefined) throw new UsageError(`--${name} takes no value`);
    const isMissing = value === undefined || value === "" || !inlineValue && value.startsWith("-");
    if (!isFlag && isMissing) throw new UsageError(`--${name} needs a value. ${seeHelp(command)}`);
  }
  return parseArgs({ args: [...args], options, allowPositionals: true });
}

/** Throws {@linkcode UsageError} where a command that takes options only was given a word. */
export function refuseWords(
  command: string,
  [word]: readonly string[],
  options: ParseArgsOptionsConfig,
): void {
  if (word === undefined) return;
  const near = nearest(word, [...Object.keys(options), "help"]);
  throw new UsageError(
    `${command} takes options only, and '${word}' is not one; the nearest is --${near}. ` +
      seeHelp(command),
  );
}

/** The environment, with the options that stand for its variables in their places. */
export function withSettings(
  environment: Readonly<Record<string, string>>,
  values: Readonly<Partial<Record<keyof typeof settings, string>>>,
): Record<string, string> {
  const result = { ...environment };
  for (const [name, variable] of variables) {
    const value = values[name];
    if (value !== undefined) result[variable] = value;
  }
  return result;
}

/** How the gateway is started. */
export const startCommand = () => calledAs("start");

/**
 * The environment of a start, with what its command line says. Throws {@linkcode UsageError}.
 *
 * @param checkWords What refuses words.
 */
export function startEnvironment(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  checkWords: typeof refuseWords = refuseWords,
): Record<string, string> {
  const { values, positionals } = readArguments(startCommand(), args, settings);
  checkWords(startCommand(), positionals, settings);
  return withSettings(environment, values);
}

function unknownOption(command: string, name: string, known: readonly string[]): UsageError {
  const near = nearest(name.replace(/^-+/, ""), known);
  return new UsageError(`Unknown option '${name}'; the nearest is --${near}. ${seeHelp(command)}`);
}

function seeHelp(command: string): string {
  return `See ${command} --help`;
}
