/** `deno task keys`: issues, lists, disables, rotates and removes credentials. */
import { countMonth, type LimitedKey } from "../accounts/first_limit.ts";
import { createCatalog } from "../catalog/catalog.ts";
import { catalogLocation, openLocation } from "../catalog/location.ts";
import { sealingBox } from "../access/sealing.ts";
import { asksForHelp, withSettings } from "../config/arguments.ts";
import { type Config, loadConfig } from "../config/config.ts";
import { print, runMain } from "../program.ts";
import { createKeyCommands, type KeyCommands } from "./key_commands.ts";
import { keysHelp, parseKeysArguments, readKeysArguments } from "./keys_arguments.ts";

const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);
const sleep = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));
const complain = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));

/** Runs the command line; its exit code: 0, 1 where it failed, 2 where it was not understood. */
export async function run(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  if (args.length === 0 || asksForHelp(args)) {
    print(keysHelp());
    return args.length === 0 ? 2 : 0;
  }
  // What names the configuration is read first.
  const { values } = readKeysArguments(args);
  const config = await loadConfig(withSettings(environment, values));
  const command = parseKeysArguments(args, {
    providers: config.providers.map(({ name }) => name),
    now: Date.now(),
  });
  print(await withCommands(config, (commands) => commands.run(command)));
  return 0;
}

async function withCommands<Result>(
  { data, catalog, secretKey, firstKey: first, ...config }: Config,
  work: (commands: KeyCommands) => Promise<Result>,
): Promise<Result> {
  const opened = await openLocation(catalogLocation(catalog, data), { sleep, warn: complain });
  try {
    const stored = createCatalog(opened.kv, sleep);
    const { credentials, sealing, quotas } = stored;
    // Of several machines none could unseal what is sealed with a key that is made on this one.
    const folder = catalog === "file" ? data : undefined;
    const box = () => sealingBox({ credentials, sealing }, { configured: secretKey, folder });
    const removedAll = () => sealing.set(undefined);
    const providers = config.providers.map(({ name }) => name);
    const firstLimit = (key: LimitedKey) => countMonth(stored, key, Date.now());
    const deps = { credentials, quotas, box, removedAll, firstLimit, first, providers };
    return await work(createKeyCommands({ ...deps, random, now: Date.now }));
  } finally {
    await opened.close();
  }
}

if (import.meta.main) await runMain(run);
