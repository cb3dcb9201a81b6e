/**
 * Deleting provider files that no object names any more: at once, or when the last running job that
 * reads the file is over, or, where a process died over it, in the sweep.
 */
import { keptBlobOf } from "../catalog/held.ts";
import type { ObjectCatalog } from "../catalog/objects.ts";
import type { TrashEntry } from "../catalog/entries.ts";
import { Failure } from "../codecs/failure.ts";
import type { FileId } from "../codecs/ids.ts";
import type { Provider, StoringProvider } from "../providers/provider.ts";
import { accountOf } from "../reach/reach.ts";
import { removeHeld } from "./held.ts";
import type { HeldDeps } from "./held_operations.ts";

/** Dependencies of emptying the trash. */
export interface TrashDeps {
  readonly catalog: ObjectCatalog;
  readonly held: HeldDeps;
}

/** Deletes a file if it is in the trash and no running job reads it. */
export async function emptyTrash(
  { catalog, held }: TrashDeps,
  provider: StoringProvider,
  file: FileId,
  signal: AbortSignal,
): Promise<void> {
  // In this order: a put of the same content takes a file out of the trash while a job reads it.
  if (await catalog.hasUses(provider.name, file)) return;
  const trash = await catalog.trashed(provider.name, file);
  if (!trash) return;
  // A blob on another machine's disk is for that machine's sweep.
  const blob = keptBlobOf(trash.held);
  if (blob && !await held.kept.isHere(blob)) return;
  if (!await isYounger(provider, trash, signal)) {
    await removeHeld(held, provider, { file, held: trash.held }, signal);
  }
  await catalog.forget(provider.name, file);
}

/**
 * Returns whether a file is younger than the backup that says that it is to be deleted: its
 * provider has given the same id to something that was put since.
 */
async function isYounger(
  provider: StoringProvider,
  { held, restoredFrom }: TrashEntry,
  signal: AbortSignal,
): Promise<boolean> {
  if (restoredFrom === undefined || held.in !== "provider") return false;
  const files = accountOf(provider, held.account).files;
  try {
    const found = await files?.head(held.file, signal);
    return found !== undefined && found.createdAt.getTime() > restoredFrom;
  } catch (error) {
    if (error instanceof Failure && error.kind === "not-found") return false;
    throw error;
  }
}

/** Empties the whole trash; what fails stays for the next time and is reported. */
export async function sweepTrash(
  deps: TrashDeps,
  providers: ReadonlyMap<string, Provider>,
  signal: AbortSignal,
  failed: (provider: string, error: unknown) => void,
): Promise<void> {
  for await (const { provider: name, file } of deps.catalog.trash()) {
    const provider = providers.get(name)?.stores;
    if (!provider) continue;
    if (signal.aborted) return;
    try {
      await emptyTrash(deps, provider, file, signal);
    } catch (error) {
      failed(name, error);
    }
  }
}
