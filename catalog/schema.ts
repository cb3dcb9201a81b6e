/**
 * In which form the catalog is. A catalog of an older form is brought to the present one before
 * anything else is done with it, in small steps that may be cut short, begun again, and done by
 * several gateways at once; one of a newer form is left as it is.
 */
import { calledAs } from "../runtime/program_name.ts";
import { Failure } from "../codecs/failure.ts";
import { indexExpiries, indexJobs } from "./indexing.ts";
import { keys } from "./keys.ts";
import { change } from "./kv.ts";
import { upgradeTo3 } from "./upgrade_3.ts";

/** The form that this program reads and writes. */
export const schemaVersion = 3;

/** What stands for the version while a backup is being brought in. */
const importing = 0;

type Sleep = (milliseconds: number) => Promise<void>;
type Migration = (kv: Deno.Kv, sleep: Sleep, report: (message: string) => void) => Promise<void>;

/** What makes the next form of each; all of them may be run twice. */
const migrations: Readonly<Record<number, Migration>> = {
  // The first catalogs had no indexes of jobs by name and status, nor of files by their expiry.
  async 1(kv, sleep) {
    await indexJobs(kv, sleep);
    await indexExpiries(kv, sleep);
  },
  // Forms of entries that the spelling of an id, or which members were there, distinguished.
  2: upgradeTo3,
};

/**
 * Sees to it that the catalog has the present form. Throws where it has a newer one.
 *
 * @param name What the catalog is called in errors.
 * @param report Called before a migration that may take a while.
 */
export async function ensureSchema(
  kv: Deno.Kv,
  sleep: Sleep,
  name: string,
  report: (message: string) => void = () => {},
): Promise<void> {
  let version = await schemaOf(kv);
  if (version === importing) throw halfImported(name);
  if (version > schemaVersion) throw newer(name, version);
  if (version === schemaVersion) return;
  const first = kv.list({ prefix: [] }, { limit: 1 });
  const isEmpty = (await first.next()).done === true;
  if (!isEmpty) {
    report(`The catalog is being brought from schema ${version} to ${schemaVersion}`);
    for (; version < schemaVersion; version++) await migrations[version]?.(kv, sleep, report);
  }
  await change(sleep, async () => {
    const entry = await kv.get<number>(keys.schema());
    const now = entry.value ?? 1;
    if (now > schemaVersion) throw newer(name, now);
    if (now === schemaVersion && entry.value !== null) return { done: undefined };
    const step = kv.atomic().check(entry).set(entry.key, schemaVersion);
    return (await step.commit()).ok ? { done: undefined } : "again";
  });
}

/** The form that a catalog has; the first had no word for it. */
export async function schemaOf(kv: Deno.Kv): Promise<number> {
  return (await kv.get<number>(keys.schema())).value ?? 1;
}

/** Keeps gateways from a catalog whose content is about to be replaced. */
export async function beginImport(kv: Deno.Kv): Promise<void> {
  await kv.set(keys.schema(), importing);
}

/** Says in which form the content is that was brought in. */
export async function endImport(kv: Deno.Kv, version: number): Promise<void> {
  await kv.set(keys.schema(), version);
}

function halfImported(name: string): Failure {
  return new Failure(
    "internal",
    `${name} is half a backup: an import was cut short. Run \`${
      calledAs("catalog import")
    } FILE --force\` ` +
      "again",
  );
}

/** Makes the failure for a catalog, or a backup, of a newer form, which is left as it is. */
export function newer(name: string, version: number): Failure {
  return new Failure(
    "internal",
    `${name} was written by a newer Batchway: it has schema ${version}, and this program knows ` +
      `schemas up to ${schemaVersion}. Run that newer version; or go back to a backup that this one ` +
      `made, with \`${calledAs("catalog import")}\``,
  );
}
