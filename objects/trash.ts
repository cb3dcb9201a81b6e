/**
 * Deleting provider files that nobody names any more: at once, or when the last running job that
 * reads the file is over, or, where a process died over it, in the sweep.
 */
import type { ObjectCatalog } from "../catalog/objects.ts";
import type { ObjectEntry, TrashEntry } from "../catalog/entries.ts";
import { Failure } from "../codecs/failure.ts";
import type { FileId } from "../codecs/ids.ts";
import { isResultsId } from "../codecs/results_id.ts";
import type { Provider, StoringProvider } from "../providers/provider.ts";
import { accountOf } from "../reach/reach.ts";
import type { ResultsDeps } from "./results/open.ts";

/** What emptying the trash needs. */
export interface TrashDeps {
  readonly catalog: ObjectCatalog;
  readonly results: ResultsDeps;
}

/** Deletes a file if it is in the trash and no running job reads it. */
export async function emptyTrash(
  { catalog, results }: TrashDeps,
  provider: StoringProvider,
  file: FileId,
  signal: AbortSignal,
): Promise<void> {
  // In this order: a put of the same content takes a file out of the trash while a job reads it.
  if (await catalog.hasUses(provider.name, file)) return;
  const trash = await catalog.trashed(provider.name, file);
  if (!trash) return;
  if (!await isYounger(provider, { ...trash, file }, signal)) {
    await deleteAtProvider(results, provider, { ...trash, file }, signal);
  }
  await catalog.forget(provider.name, file);
}

/**
 * Whether a file is younger than the backup that says that it is to be deleted: its provider has
 * given the same id to something that was put since.
 */
async function isYounger(
  provider: StoringProvider,
  { file, account, restoredFrom }: TrashEntry & { readonly file: FileId },
  signal: AbortSignal,
): Promise<boolean> {
  if (restoredFrom === undefined || isResultsId(file)) return false;
  const files = accountOf(provider, account).files;
  try {
    const found = await files?.head(file, signal);
    return found !== undefined && found.createdAt.getTime() > restoredFrom;
  } catch (error) {
    if (error instanceof Failure && error.kind === "not-found") return false;
    throw error;
  }
}

/**
 * Deletes a file. Of results the operator's copy is deleted, and what they were put together from is
 * forgotten; the provider's own files of results stay with it.
 */
export async function deleteAtProvider(
  { catalog, store }: ResultsDeps,
  provider: StoringProvider,
  { file, account }: Pick<ObjectEntry, "file" | "account">,
  signal: AbortSignal,
): Promise<void> {
  if (!isResultsId(file)) {
    await accountOf(provider, account).files?.delete(file, signal);
    return;
  }
  const kept = (await catalog.get(provider.name, file))?.kept;
  if (kept !== undefined) await store?.remove(kept, signal);
  await catalog.forget(provider.name, file);
}

/** Empties the whole trash; what fails stays for the next time and is told. */
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
