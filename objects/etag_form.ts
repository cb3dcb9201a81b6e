/** Which ETag an object gets. */
import type { ObjectEntry } from "../catalog/entries.ts";

/** The form of ETags: the provider file's id, or S3's own ETag of its bytes. */
export type EtagForm = "file" | "md5";

/**
 * Members of an object's entry for its ETag.
 *
 * @param md5 S3's own ETag of its bytes; undefined where it was not computed.
 * @param otherwise The ETag of an object that has none of its bytes.
 */
export function etagMembers(
  form: EtagForm,
  md5: string | undefined,
  otherwise: string,
): Pick<ObjectEntry, "etag" | "md5"> {
  if (md5 === undefined) return { etag: otherwise };
  return { etag: form === "md5" ? md5 : otherwise, md5 };
}
