/** Puts the catalog right, and makes again what the providers hold of it. */
import { keys } from "../catalog/keys.ts";
import type { WriteCondition } from "../catalog/objects.ts";
import type { ObjectEntry, RestoredEntry } from "../catalog/entries.ts";
import { Failure } from "../codecs/failure.ts";
import { adoptBatch, finishCreate } from "../jobs/adopt_batch.ts";
import type { ObjectName } from "../objects/name.ts";
import type { FilesPort, ProviderFile } from "../providers/provider.ts";
import { compare, type CompareDeps, type ProviderAccount } from "./compare.ts";
import type { KeptStore } from "./compare_blobs.ts";
import { rebuildFromBlobs } from "./rebuild_blobs.ts";
import { examine, type Finding } from "./examine.ts";

/** Dependencies of rebuilding. */
export interface RebuildDeps extends CompareDeps {
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** The region of jobs that are made again. */
  readonly region: string;
  /** Whose such jobs are; absent: native ones, for callers that may see these. */
  readonly tenant?: string;
  /** The store of kept objects; it is not looked through where absent. */
  readonly kept?: KeptStore;
}

/** What became of the catalog. */
export interface Rebuilt {
  /** Entries that were put right. */
  mended: number;
  /** Jobs that were made again, of batches that the catalog did not know. */
  jobs: number;
  /** Objects that were made again, of files that the catalog did not know. */
  objects: number;
  /** What could not be put right, and why: sentences, the first of many. */
  readonly left: string[];
  /** How many there are of these. */
  leftCount: number;
}

/** Sentences that are kept; of more, only the number. */
const maxSentences = 1_000;

/**
 * Puts indexes and names right, then makes jobs and objects again of what is found at the providers.
 * Each step checks that what it is about is still as it was read, so that gateways may go on; run
 * twice, the second run has nothing to do.
 */
export async function rebuild(
  deps: RebuildDeps,
  places: readonly ProviderAccount[],
  signal: AbortSignal,
): Promise<Rebuilt> {
  const done: Rebuilt = { mended: 0, jobs: 0, objects: 0, left: [], leftCount: 0 };
  for await (const finding of examine(deps.kv, deps.sleep)) {
    signal.throwIfAborted();
    if (finding.mend) {
      if (await finding.mend()) done.mended++;
    } else if (finding.file) await restore(deps, places, finding, done, signal);
    else leave(done, `${finding.what}: ${reasons[finding.kind] ?? reasons["*"]}`);
  }
  // First, for labels say more than the names of provider files.
  if (deps.kept) {
    const outcomes = { made: () => void done.objects++, left: (why: string) => leave(done, why) };
    await rebuildFromBlobs(deps, deps.kept, outcomes, signal);
  }
  for (const place of places) await fromProvider(deps, place, done, signal);
  return done;
}

/** Gives a file that the catalog knows, and that lost its object, its object back. */
async function restore(
  { catalog: { objects } }: RebuildDeps,
  places: readonly ProviderAccount[],
  { what, file: lost }: Finding,
  done: Rebuilt,
  signal: AbortSignal,
): Promise<void> {
  const owner = lost && await objects.file(lost.provider, lost.id);
  if (!lost || !owner || owner.state === "trash") return;
  if (owner.in !== undefined) {
    return leave(done, `${what}: it is not a file of the provider`);
  }
  const place = places.find(({ provider, account }) =>
    provider === lost.provider && account.name === owner.account
  );
  if (!place?.account.files) return leave(done, `${what}: its account is not configured`);
  const file = await headOf(place.account.files, lost.id, signal);
  if (!file) {
    // Not forgotten, either: with another project's key every file is answered like that.
    leave(done, `${what}: its provider has no such file, or not for this key`);
  } else if (!await isRecorded(objects, place, file, owner)) {
    leave(done, `${what}: another object has its name by now`);
  } else done.objects++;
}

/** Makes again what a provider has and the catalog does not know. */
async function fromProvider(
  deps: RebuildDeps,
  place: ProviderAccount,
  done: Rebuilt,
  signal: AbortSignal,
): Promise<void> {
  const { catalog, region, tenant } = deps;
  const { provider, account } = place;
  // Of files of one name the newest is the object: the others were replaced.
  const newest = new Map<string, { readonly file: ProviderFile; readonly object: ObjectName }>();
  const gone: { readonly what: string; readonly name: string }[] = [];
  for await (const { kind, what, file, batch, object } of compare(deps, place, signal)) {
    if (batch) {
      const target = { provider, account: account.name, region, ...(tenant && { tenant }) };
      const isMade = await finishCreate(deps, provider, batch) ||
        await adoptBatch(deps, target, batch);
      if (isMade) done.jobs++;
    } else if (file?.object) {
      const name = nameText(file.object);
      const other = newest.get(name)?.file;
      if (!other || other.createdAt < file.createdAt) {
        newest.set(name, { file, object: file.object });
      }
    } else if (object) gone.push({ what, name: nameText(object) });
    else leave(done, `${what}: ${reasons[kind] ?? "it is left as it is"}`);
  }
  const restored = (await deps.kv.get<RestoredEntry>(keys.restored())).value ?? undefined;
  for (const { file, object } of newest.values()) {
    const condition = await mayReplace(catalog.objects, place, file, object, restored, signal);
    if (await isRecorded(catalog.objects, place, file, object, condition)) done.objects++;
    else {
      newest.delete(nameText(object));
      leave(done, `file ${file.id} at ${provider}: its name stands for another file`);
    }
  }
  for (const { what, name } of gone) {
    if (!newest.has(name)) leave(done, `${what}: ${reasons["object-without-file"]}`);
  }
}

function nameText({ tenant, bucket, key }: ObjectName): string {
  return JSON.stringify([tenant, bucket, key]);
}

/** Why something is left as it is. */
const reasons: Readonly<Record<string, string>> = {
  "*": "the catalog does not show which of them is right",
  "wrong-entry":
    "it is damaged, and is as if it were not there; an import of a backup brings it back",
  "unknown-entry": "another version, or another program, has written it",
  "unknown-file":
    "its name does not hold its bucket and key (there was no room for them, an older version put it, " +
    "or PutObject would refuse them); it can be read by its id, as a native file",
  "object-without-file":
    "it is forgotten once it is read; nothing is forgotten here, for a wrong " +
    "key of the provider would make everything look gone",
  "job-without-batch": "what became of it is unknown",
  "unreachable": "run it again",
};

/** Records an object; false where its name stands for another file. */
async function isRecorded(
  objects: RebuildDeps["catalog"]["objects"],
  { provider, account }: ProviderAccount,
  file: ProviderFile,
  { tenant, bucket, key }: ObjectName,
  condition: WriteCondition = { absent: true },
): Promise<boolean> {
  const record: ObjectEntry = {
    file: file.id,
    etag: file.id,
    held: { in: "provider", file: file.id, account: account.name },
    bytes: file.bytes,
    modifiedAt: file.createdAt.getTime(),
    contentType: "application/octet-stream",
    headers: {},
    metadata: {},
    checksums: {},
    ...(file.expiresAt && { expiresAt: file.expiresAt.getTime() }),
  };
  try {
    await objects.set({ tenant, provider }, bucket, key, record, condition);
    return true;
  } catch (error) {
    // The name is taken, or is not one that the catalog could have had.
    const isRefused = error instanceof Failure &&
      ["precondition", "invalid", "not-found"].includes(error.kind);
    if (isRefused) return false;
    throw error;
  }
}

/** Providers give the time of a file in whole seconds. */
const resolution = 1_000;

/**
 * Returns whether a name may be given to a file: it is free; or it still stands
 * for an older file which was replaced after the backup was made that the catalog came back from,
 * or which is gone at the provider that has the newer one.
 */
async function mayReplace(
  objects: RebuildDeps["catalog"]["objects"],
  { provider, account }: ProviderAccount,
  file: ProviderFile,
  { tenant, bucket, key }: ObjectName,
  restored: RestoredEntry | undefined,
  signal: AbortSignal,
): Promise<WriteCondition> {
  const free = { absent: true };
  // Names that no put would take are refused where they are recorded.
  const old = await objects.get({ tenant, provider }, bucket, key).catch(() => undefined);
  if (!old || !account.files || old.held.in !== "provider") return free;
  if (old.held.account !== account.name) return free;
  const createdAt = file.createdAt.getTime() + resolution;
  if (createdAt < old.modifiedAt) return free;
  const isSince = restored !== undefined && old.modifiedAt <= restored.restoredAt &&
    createdAt > restored.madeAt;
  const isReplaced = isSince || !await headOf(account.files, old.file, signal);
  return isReplaced ? { files: [old.file] } : free;
}

async function headOf(
  files: FilesPort,
  id: ProviderFile["id"],
  signal: AbortSignal,
): Promise<ProviderFile | undefined> {
  try {
    return await files.head(id, signal);
  } catch (error) {
    if (error instanceof Failure && error.kind === "not-found") return undefined;
    throw error;
  }
}

function leave(done: Rebuilt, sentence: string): void {
  done.leftCount++;
  if (done.left.length < maxSentences) done.left.push(sentence);
}
