/** Where results of native batches are: in the bucket named like their provider. */
import { nativeTenant, type Scope } from "../../catalog/keys.ts";
import { type Reach, scopeOf } from "../../reach/reach.ts";

/** The parts of the catalog that a bucket's objects are in: the caller's, then that of results of native batches. */
export function scopesOfBucket(reach: Reach, bucket: string): readonly Scope[] {
  const own = scopeOf(reach);
  const isShown = reach.native && bucket === reach.provider.name;
  return isShown ? [own, { ...own, tenant: nativeTenant }] : [own];
}
