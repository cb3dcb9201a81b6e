/** Versions of objects, of which there are none but `null`. */
import { Failure } from "../../codecs/failure.ts";

/**
 * Refuses a version that no object has: answering with another, or deleting it, would be worse than
 * an error. `null` is the version of every object in a bucket without versions.
 */
export function checkVersion(version: string | undefined): void {
  if (version === undefined || version === "" || version === "null") return;
  throw new Failure(
    "not-found",
    "The version does not exist: buckets have no versions here. Leave versionId out",
    { s3: "NoSuchVersion", fields: { VersionId: version } },
  );
}
