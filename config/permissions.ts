/**
 * Prints the flags that `deno task start` runs the gateway with: what this configuration needs of
 * the network and of the disk, and no more. The rest is the set `gateway` in deno.json. For launchers
 * of the packaged program, `batchway permissions` prints every flag of any command.
 *
 * A program of its own before the gateway, not around it: nothing stays in memory, and signals reach
 * the gateway as if there were no other.
 */
import { posix } from "node:path";
import { parseArgs } from "node:util";
import project from "../deno.json" with { type: "json" };
import { settings, withSettings } from "./arguments.ts";
import { type Config, loadConfig } from "./config.ts";
import { catalogHosts, hostsOf, usesCredentialChain } from "./egress.ts";

/** With this argument the flags are those that reaching the catalog takes, and no other. */
const catalogAlone = "catalog";

/** What the gateway needs to say what is wrong with its configuration. */
const enoughForErrors = ["--allow-read"];

/**
 * The flags of `deno run` for a configuration, none with white space in it: a shell takes them apart
 * there.
 */
export function flagsOf(config: Config, environment: Readonly<Record<string, string>>): string[] {
  const env = (name: string) => environment[name];
  const file = env("BATCHWAY_CONFIG") || "./batchway.jsonc";
  const tls = config.tls === undefined ? [] : [config.tls.certPath, config.tls.keyPath];
  const kept = [config.keep, config.objects.store]
    .flatMap((store) => store?.kind === "folder" ? [store.folder] : [])
    .filter((folder) => !folder.startsWith(`${config.data}/`));
  const net = list("net", hostsOf(config, env));
  if (!usesCredentialChain(config, env)) {
    return [
      ...net,
      ...list("read", [config.data, ...kept, file, ...tls]),
      ...list("write", [config.data, ...kept]),
    ];
  }
  const aws = posix.join(env("HOME") || ".", ".aws");
  return [
    ...net,
    // Profiles name files of their own, such as tokens.
    "--allow-read",
    // Tokens of SSO and of `aws login` are renewed there.
    ...list("write", [config.data, ...kept, `${aws}/sso/cache`, `${aws}/login/cache`]),
    // What the chain's TLS asks for, `ca`, is not a name that a list may hold (Deno 2.9.6).
    "--allow-sys",
  ];
}

/** None for no items: `deno run` takes no empty list. */
function list(kind: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const places = kind === "net" ? items : items.flatMap(withRealPath);
  const escaped = places.map((item) => unspaced(item).replaceAll(",", ",,"));
  return [`--allow-${kind}=${[...new Set(escaped)].join(",")}`];
}

/**
 * A path, and where its symbolic links lead: a file that is open already is asked about by its real
 * path (`FsFile.stat`, Deno 2.9.6). systemd gives a dynamic user its folder by such a link.
 */
function withRealPath(path: string): readonly string[] {
  const whole = posix.resolve(path);
  // What is made later is below the nearest folder that is there.
  for (let there = whole;; there = posix.dirname(there)) {
    try {
      const real = posix.join(Deno.realPathSync(there), posix.relative(there, whole));
      return real === whole ? [path] : [path, real];
    } catch {
      // A path that cannot be read is refused when the program uses it.
      if (there === posix.dirname(there)) return [path];
    }
  }
}

/** A path that a shell would take apart gives way to the folder above. */
function unspaced(path: string): string {
  let whole = path;
  while (/\s/.test(whole)) whole = posix.dirname(whole);
  return whole;
}

/** What every program of ours runs with. */
const common = ["--quiet", "--no-prompt"];

/** Unstable parts of Deno that deno.json switches on; a packaged program has no such file. */
const unstable = project.unstable.map((name) => `--unstable-${name}`);

/** Flags of commands that any configuration runs with: they write where their command line says. */
const anywhere = ["--allow-env", "--allow-read", "--allow-write", "--allow-sys"];

type Flags = (config: Config, environment: Readonly<Record<string, string>>) => readonly string[];

/** Catalog and configuration: what keys and accounts take. */
const ofCatalog: Flags = (config) => [...anywhere, ...list("net", catalogHosts(config))];

/** The flags of each command, beside {@linkcode common}; a list where none depend on the configuration. */
const commandFlags: Readonly<Record<string, readonly string[] | Flags>> = {
  start: (config, environment) => ["--allow-env", ...flagsOf(config, environment)],
  // With --live it listens on any port of this machine, and asks there.
  check: (config, environment) => [
    "--allow-env",
    ...flagsOf(config, environment),
    "--allow-net=127.0.0.1",
  ],
  sandbox: [...anywhere, "--allow-net"],
  catalog: [...anywhere, "--allow-net"],
  keys: ofCatalog,
  usage: ofCatalog,
  events: ofCatalog,
  translate: ["--allow-read", "--allow-write"],
  version: [],
};

/**
 * Returns what a launcher knows without asking: the flags of each command, null where they depend
 * on the configuration, and those of any other word.
 */
export function fixedFlags() {
  const commands = Object.entries(commandFlags).map(([name, flags]) => [
    name,
    typeof flags === "function" ? null : [...common, ...unstable, ...flags],
  ]);
  return { commands: Object.fromEntries(commands), others: [...common, ...unstable] };
}

/** The options of a command line that stand for variables, whatever else is in it. */
function placesIn(args: readonly string[], environment: Readonly<Record<string, string>>) {
  const { values } = parseArgs({ args: [...args], options: settings, strict: false });
  const texts = Object.entries(values).filter(([, value]) => typeof value === "string");
  return withSettings(environment, Object.fromEntries(texts));
}

/**
 * Every flag of `deno run` that a command needs. A word that is not a command gets none: the program
 * refuses it. A configuration with errors gets what it takes to report them.
 */
export async function commandPermissions(
  [word = "", ...args]: readonly string[],
  own: Readonly<Record<string, string>>,
): Promise<string[]> {
  const flags = Object.hasOwn(commandFlags, word) ? commandFlags[word] ?? [] : [];
  if (typeof flags !== "function") return [...common, ...unstable, ...flags];
  try {
    const environment = placesIn(args, own);
    return [...common, ...unstable, ...flags(await loadConfig(environment), environment)];
  } catch {
    return [...common, ...unstable, "--allow-env", ...enoughForErrors];
  }
}

/**
 * `batchway permissions COMMAND [options]`, for launchers: prints the flags that the command is to be
 * run with, one a line.
 */
export async function run(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  const flags = await commandPermissions(args, environment);
  Deno.stdout.writeSync(new TextEncoder().encode(`${flags.join("\n")}\n`));
  return 0;
}

async function print(): Promise<void> {
  let flags: readonly string[];
  try {
    const isCatalog = Deno.args[0] === catalogAlone;
    const own = Deno.env.toObject();
    // What is wrong in a command line is for the program to refuse.
    const environment = isCatalog ? own : placesIn(Deno.args, own);
    const config = await loadConfig(environment);
    flags = isCatalog ? list("net", catalogHosts(config)) : flagsOf(config, environment);
  } catch {
    // The gateway meets the same error, and reports it.
    flags = enoughForErrors;
  }
  Deno.stdout.writeSync(new TextEncoder().encode(`${flags.join(" ")}\n`));
}

if (import.meta.main) await print();
