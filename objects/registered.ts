/** This process's registration in the catalog, as its uploads need it. */
import type { InstanceCatalog, Registration } from "../catalog/instances.ts";

/** The registration. */
export type Registered = ReturnType<typeof createRegistered>;

/** Makes what registers this process at its first upload, and again after it was expelled. */
export function createRegistered(instances: InstanceCatalog, instance: string) {
  let asked: Promise<Registration> | undefined;

  return { current, doubt };

  /** The registration; to be had before an upload begins, and checked when its file is recorded. */
  function current(): Promise<Registration> {
    return asked ??= instances.register(instance).catch((error: unknown) => {
      doubt();
      throw error;
    });
  }

  /** It may have ended: the next upload asks the catalog. */
  function doubt(): void {
    asked = undefined;
  }
}
