/** The program `batchway`: one word for each command, loaded when it is asked for. */
import { nearest } from "./codecs/nearest.ts";
import { UsageError } from "./config/arguments.ts";
import { type Command, print, runMain } from "./program.ts";
import { startedAs } from "./runtime/program_name.ts";

/** A command of the program. */
interface Entry {
  /** One line of the help; absent for what only launchers call. */
  readonly about?: string;
  /** Loads its module: a command must not wait for the code of the others. */
  readonly load: () => Promise<{ readonly run: Command }>;
}

/** The commands, in the order in which a newcomer needs them. */
export const commands: Readonly<Record<string, Entry>> = {
  sandbox: {
    about: "run the gateway on simulated providers: no key, no network",
    load: () => import("./sandbox/main.ts"),
  },
  start: {
    about: "run the gateway on the providers that you configured",
    load: () => import("./main.ts"),
  },
  check: {
    about: "ask every configured provider, the catalog and the data folder whether they work",
    load: () => import("./commands/check.ts"),
  },
  keys: {
    about: "issue, list, disable, rotate and remove what clients sign with",
    load: () => import("./commands/keys.ts"),
  },
  catalog: {
    about: "check, rebuild, export or import the catalog",
    load: () => import("./commands/catalog.ts"),
  },
  translate: {
    about: "translate a batch file for another provider, and say what is lost",
    load: () => import("./commands/translate.ts"),
  },
  usage: {
    about: "show what jobs used and cost",
    load: () => import("./commands/usage.ts"),
  },
  events: {
    about: "show which events of jobs wait or were sent, and send them again",
    load: () => import("./commands/events.ts"),
  },
  version: {
    about: "print the version of Batchway and of Deno",
    load: () => import("./commands/version.ts"),
  },
  permissions: { load: () => import("./config/permissions.ts") },
};

/** Words and options that stand for others. */
const aliases: Readonly<Record<string, string>> = { "--version": "version", "-V": "version" };
const help: readonly string[] = ["help", "--help", "-h"];

function usage(): string {
  const lines = Object.entries(commands).flatMap(([name, { about }]) =>
    about === undefined ? [] : [`  ${name.padEnd(10)} ${about}`]
  );
  return `Batchway: boto3 programs for Bedrock batch jobs, on Bedrock, OpenAI, Gemini or Anthropic.

batchway COMMAND [options]
${lines.join("\n")}

Each command has a help of its own:  batchway keys --help
The quickest start, which prints a Python program to paste:

  batchway sandbox --port 8080

With real providers:

  export OPENAI_API_KEY=...
  batchway start --data ./data

An option wins over its variable (--port over BATCHWAY_PORT). Exit codes: 0 done, 1 failed, 2 the
command line was not understood. The pages are in docs/ of the project; begin with README.md.`;
}

/** Runs the program's command line; returns its exit code. Throws {@linkcode UsageError}. */
export async function run(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  startedAs("batchway");
  const [word, ...rest] = args;
  if (word === undefined || help.includes(word)) {
    const [topic] = rest;
    if (word !== "help" || topic === undefined) {
      print(usage());
      return word === undefined ? 2 : 0;
    }
    return await run([topic, "--help"], environment);
  }
  const name = aliases[word] ?? word;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw unknown(word);
  return await (await command.load()).run(rest, environment);
}

function unknown(word: string): UsageError {
  const visible = Object.keys(commands).filter((name) => commands[name]?.about !== undefined);
  const near = word.startsWith("-")
    ? `--${nearest(word.replace(/^-+/, ""), ["help", "version"])}`
    : nearest(word, visible);
  return new UsageError(
    `There is no command '${word}'; the nearest is ${near}. See batchway --help`,
  );
}

if (import.meta.main) await runMain(run);
