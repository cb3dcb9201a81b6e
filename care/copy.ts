/** The catalog as it is at one moment, while gateways go on using it. */
import { dirname } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";

/** More pages than a catalog has: all are read in one step, which is one moment. */
const allPages = 2 ** 31 - 1;

/** A copy of a catalog. */
export interface CatalogCopy extends AsyncDisposable {
  readonly kv: Deno.Kv;
}

/** Copies a catalog's file into its own folder, for this user alone, until the copy is disposed of. */
export async function copyCatalog(path: string): Promise<CatalogCopy> {
  const folder = await Deno.makeTempDir({ dir: dirname(path), prefix: "catalog-copy-" });
  try {
    // Made first, so that nobody else can read it while it is written.
    (await Deno.open(`${folder}/copy.kv`, { write: true, createNew: true, mode: 0o600 })).close();
    using source = new DatabaseSync(path, { readOnly: true });
    await backup(source, `${folder}/copy.kv`, { rate: allPages });
    const kv = await Deno.openKv(`${folder}/copy.kv`);
    return {
      kv,
      async [Symbol.asyncDispose]() {
        kv.close();
        await Deno.remove(folder, { recursive: true });
      },
    };
  } catch (error) {
    await Deno.remove(folder, { recursive: true });
    throw error;
  }
}
