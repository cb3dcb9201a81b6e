/** The catalog as it is at one moment, while gateways go on using it. */
import { dirname } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { makeDraftFolder } from "../catalog/draft_folder.ts";

/** More pages than a catalog has: all are read in one step, which is one moment. */
const allPages = 2 ** 31 - 1;

/** A copy of a catalog. */
export interface CatalogCopy extends AsyncDisposable {
  readonly kv: Deno.Kv;
}

/** Copies a catalog's file into its own folder, only for this user, until the copy is disposed of. */
export async function copyCatalog(path: string): Promise<CatalogCopy> {
  const folder = await makeDraftFolder(dirname(path));
  const copy = `${folder.path}/copy.kv`;
  try {
    // Made first, so that other users cannot read it while it is written.
    (await Deno.open(copy, { write: true, createNew: true, mode: 0o600 })).close();
    using source = new DatabaseSync(path, { readOnly: true });
    await backup(source, copy, { rate: allPages });
    const kv = await Deno.openKv(copy);
    return {
      kv,
      async [Symbol.asyncDispose]() {
        kv.close();
        await folder[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}
