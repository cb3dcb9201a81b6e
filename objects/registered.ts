/** This process's registration in the catalog, as its uploads need it. */
import type { InstanceCatalog, Registration } from "../catalog/instances.ts";
import { once } from "../runtime/single_flight.ts";

/** The registration of this process in the catalog. */
export type Registered = ReturnType<typeof createRegistered>;

/** Makes what registers this process at its first upload, and again after it was expelled. */
export function createRegistered(instances: InstanceCatalog, instance: string) {
  const registration = once(() => instances.register(instance));
  return {
    /** The registration; needed before an upload begins, and checked when its file is recorded. */
    current: (): Promise<Registration> => registration(),
    /** It may have ended: the next upload asks the catalog. */
    doubt: (): void => registration.forget(),
  };
}
