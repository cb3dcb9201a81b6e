/** Gateway processes, and secrets that they share. */
import { keys } from "./keys.ts";
import { change } from "./kv.ts";
import type { InstanceRecord } from "./records.ts";

/** The instances' part of the catalog. */
export type InstanceCatalog = ReturnType<typeof createInstanceCatalog>;

/** Makes the instances' part of the catalog. */
export function createInstanceCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
) {
  return { seen, leave, all, secret };

  /** Says that a process is alive. */
  function seen(id: string, record: InstanceRecord): Promise<void> {
    return change(sleep, async () => {
      await kv.set(keys.instance(id), record);
      return { done: undefined };
    });
  }

  /** Says that a process is gone and that nothing of it is left behind. */
  function leave(id: string): Promise<void> {
    return change(sleep, async () => {
      await kv.delete(keys.instance(id));
      return { done: undefined };
    });
  }

  /** Every process that did not leave. */
  async function all(): Promise<{ id: string; record: InstanceRecord }[]> {
    const found = [];
    for await (const entry of kv.list<InstanceRecord>({ prefix: keys.instances() })) {
      found.push({ id: entry.key.at(-1) as string, record: entry.value });
    }
    return found;
  }

  /** A secret that all gateways of this catalog share; made when it is first asked for. */
  function secret(name: string, make: () => Uint8Array): Promise<Uint8Array> {
    return change(sleep, async () => {
      const entry = await kv.get<Uint8Array>(keys.secret(name));
      if (entry.value) return { done: entry.value };
      const value = make();
      return (await kv.atomic().check(entry).set(entry.key, value).commit()).ok
        ? { done: value }
        : "again";
    });
  }
}
