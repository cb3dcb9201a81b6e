/** Which key the secrets of credentials are sealed under. */
import { keys } from "./keys.ts";
import { change } from "./kv.ts";

/** That part of the catalog. */
export type SealingCatalog = ReturnType<typeof createSealingCatalog>;

/** Makes that part of the catalog. */
export function createSealingCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
) {
  return { get, set };

  /** The fingerprint of the key; undefined where none is known. */
  async function get(): Promise<string | undefined> {
    return (await kv.get<string>(keys.sealedUnder())).value ?? undefined;
  }

  /** Says which key it is from now on; undefined where nothing is sealed any more. */
  function set(fingerprint: string | undefined): Promise<void> {
    return change(sleep, async () => {
      if (fingerprint === undefined) await kv.delete(keys.sealedUnder());
      else await kv.set(keys.sealedUnder(), fingerprint);
      return { done: undefined };
    });
  }
}
