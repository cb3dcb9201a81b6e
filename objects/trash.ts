/**
 * Deleting provider files that nobody names any more: at once, or when the last running job that
 * reads the file is over, or, where a process died over it, in the sweep.
 */
import type { ObjectCatalog } from "../catalog/objects.ts";
import type { FileId } from "../codecs/ids.ts";
import type { Provider, StoringProvider } from "../providers/provider.ts";
import { accountOf } from "./reach.ts";

/** Deletes a file if it is in the trash and no running job reads it. */
export async function emptyTrash(
  catalog: ObjectCatalog,
  provider: StoringProvider,
  file: FileId,
  signal: AbortSignal,
): Promise<void> {
  const trash = await catalog.trashed(provider.name, file);
  if (!trash || await catalog.hasUses(provider.name, file)) return;
  await accountOf(provider, trash.account).files?.delete(file, signal);
  await catalog.forget(provider.name, file);
}

/** Empties the whole trash; what fails stays for the next time and is told. */
export async function sweepTrash(
  catalog: ObjectCatalog,
  providers: ReadonlyMap<string, Provider>,
  signal: AbortSignal,
  failed: (provider: string, error: unknown) => void,
): Promise<void> {
  for await (const { provider: name, file } of catalog.trash()) {
    const provider = providers.get(name);
    if (!provider || provider.forwards) continue;
    if (signal.aborted) return;
    try {
      await emptyTrash(catalog, provider, file, signal);
    } catch (error) {
      failed(name, error);
    }
  }
}
