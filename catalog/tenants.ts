/** Which tenants there are: those that have jobs, buckets or objects. */
import { keys, nativeTenant } from "./keys.ts";

/** Entries that begin with a tenant's name; one that has any is found by one read of each kind. */
const heads = [keys.jobNamesOfAll(), keys.bucketsOfAll(), keys.objectsOfAll()];
/** More are not looked for. */
const most = 1_000;

/** Lists tenants in the order of their names. It costs a read for each of them, not for their things. */
export async function listTenants(kv: Deno.Kv): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const head of heads) {
    let after = "";
    for (let looks = 0; looks < most; looks++) {
      const start = after === "" ? [...head] : [...head, `${after}\0`];
      const [first] = await Array.fromAsync(
        // A boolean comes after every text in the order of keys.
        kv.list({ start, end: [...head, false] }, { limit: 1 }),
      );
      const tenant = first?.key[1];
      if (typeof tenant !== "string") break;
      if (tenant !== nativeTenant) found.add(tenant);
      after = tenant;
    }
  }
  return [...found].sort();
}
