/**
 * Prints the flags that `deno task start` runs the gateway with: what this configuration needs of
 * the network and of the disk, and no more. The rest is the set `gateway` in deno.json.
 *
 * A program of its own before the gateway, not around it: nothing stays in memory, and signals reach
 * the gateway as if there were no other.
 */
import { posix } from "node:path";
import { startEnvironment } from "./arguments.ts";
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
  const escaped = items.map((item) => unspaced(item).replaceAll(",", ",,"));
  return [`--allow-${kind}=${[...new Set(escaped)].join(",")}`];
}

/** A path that a shell would take apart gives way to the folder above. */
function unspaced(path: string): string {
  let whole = path;
  while (/\s/.test(whole)) whole = posix.dirname(whole);
  return whole;
}

async function print(): Promise<void> {
  let flags: readonly string[];
  try {
    const isCatalog = Deno.args[0] === catalogAlone;
    const own = Deno.env.toObject();
    // Words are for the program to refuse.
    const environment = isCatalog ? own : startEnvironment(Deno.args, own, () => {});
    const config = await loadConfig(environment);
    flags = isCatalog ? list("net", catalogHosts(config)) : flagsOf(config, environment);
  } catch {
    // The gateway meets the same error, and reports it.
    flags = enoughForErrors;
  }
  Deno.stdout.writeSync(new TextEncoder().encode(`${flags.join(" ")}\n`));
}

if (import.meta.main) await print();
