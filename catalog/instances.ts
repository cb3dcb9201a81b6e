/** Gateway processes, and secrets that they share. */
import { keys } from "./keys.ts";
import { change } from "./kv.ts";
import type { InstanceEntry } from "./entries.ts";

/**
 * A process's right to record what it has uploaded: a step that checks it goes through only until
 * another process takes it for dead, and the files that it left for orphans.
 */
export type Registration = Deno.AtomicCheck;

/** The instances' part of the catalog. */
export type InstanceCatalog = ReturnType<typeof createInstanceCatalog>;

/** Makes the instances' part of the catalog. */
export function createInstanceCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
) {
  return { seen, leave, all, register, expel, secret };

  /** Says that a process is alive. */
  function seen(id: string, record: InstanceEntry): Promise<void> {
    return change(sleep, async () => {
      await kv.set(keys.instance(id), record);
      return { done: undefined };
    });
  }

  /** Says that a process is gone and that nothing of it is left behind. */
  function leave(id: string): Promise<void> {
    return change(sleep, async () => {
      const step = kv.atomic().delete(keys.instance(id)).delete(keys.registration(id));
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /** A process's registration; a new one where it has none, or was expelled. */
  function register(id: string): Promise<Registration> {
    return change(sleep, async () => {
      const entry = await kv.get(keys.registration(id));
      if (entry.versionstamp !== null) return { done: entry };
      await kv.atomic().check(entry).set(keys.registration(id), true).commit();
      return "again";
    });
  }

  /** Ends the registration of a process: whatever it is still at will not be recorded. */
  function expel(id: string): Promise<void> {
    return change(sleep, async () => {
      await kv.delete(keys.registration(id));
      return { done: undefined };
    });
  }

  /** Every process that did not leave. */
  async function all(): Promise<{ id: string; record: InstanceEntry }[]> {
    const found = [];
    for await (const entry of kv.list<InstanceEntry>({ prefix: keys.instances() })) {
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
