/** Accounts that things of the catalog are at, and that the configuration does not hold. */
import type { Catalog } from "../catalog/catalog.ts";
import { maxBatch } from "../catalog/keys.ts";
import type { FileEntry } from "../catalog/entries.ts";
import { accountOfJob } from "../catalog/plans.ts";
import type { Difference, ProviderAccount } from "./compare.ts";

/** What is at an account. */
interface Held {
  files: number;
  jobs: number;
}

/** A difference for each account that is missing, with what is out of reach for it. */
export async function* missingAccounts(
  kv: Deno.Kv,
  { jobs }: Catalog,
  places: readonly ProviderAccount[],
): AsyncGenerator<Difference> {
  const configured = new Set(places.map(({ provider, account }) => nameOf(provider, account.name)));
  const missing = new Map<string, Held>();
  const count = (provider: string, account: string, what: keyof Held) => {
    const name = nameOf(provider, account);
    if (configured.has(name)) return;
    const held = missing.get(name) ?? { files: 0, jobs: 0 };
    held[what]++;
    missing.set(name, held);
  };
  for await (
    const { key, value } of kv.list<FileEntry>({ prefix: ["file"] }, { batchSize: maxBatch })
  ) {
    if (value.account !== undefined) count(String(key[1]), value.account, "files");
  }
  for await (const { scope, job } of jobs.running()) {
    const account = accountOfJob(job);
    if (account !== undefined) count(scope.provider, account, "jobs");
  }
  for (const [name, held] of missing) {
    const what = `${name}: ${held.files} files and ${held.jobs} running jobs are out of reach`;
    yield { kind: "missing-account", what };
  }
}

function nameOf(provider: string, account: string): string {
  return `account ${account} of ${provider}`;
}
