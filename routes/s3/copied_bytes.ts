/** How many bytes a copy makes that is forwarded. */
import { Failure } from "../../codecs/failure.ts";
import { isBucketName } from "../../codecs/s3_uri.ts";
import { encodeUri } from "../../codecs/uri.ts";
import type { ForwardingProvider } from "../../providers/provider.ts";
import { cancelUnread } from "../../runtime/unread.ts";
import { decodedSource } from "./copy_source.ts";

/** Operations that copy. */
const copies: ReadonlySet<string | undefined> = new Set(["CopyObject", "UploadPartCopy"]);

/** A forwarded request that may be a copy. */
export interface MaybeCopy {
  readonly operation: string | undefined;
  readonly headers: Headers;
  /** The source, as `x-amz-copy-source` spells it. */
  readonly source: string | undefined;
  readonly region: string | undefined;
}

/**
 * Returns the bytes that a request copies: those of its range, else of the source, which the upstream
 * is asked for. None of a source that is not there, as the copy is refused; undefined for what is not a
 * copy. Throws `invalid` for a source whose bytes cannot be known.
 */
export async function copiedBytes(
  provider: ForwardingProvider,
  { operation, headers, source, region }: MaybeCopy,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (!copies.has(operation) || source === undefined) return undefined;
  const range = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(headers.get("x-amz-copy-source-range") ?? "");
  if (range) return Math.max(0, Number(range[2]) - Number(range[1]) + 1);
  const [object = "", version] = source.split(/\?versionId=([^?]*)$/);
  const path = decodedSource(object) ?? "";
  if (!isBucketName(path.split("/")[0] ?? "")) {
    throw new Failure(
      "invalid",
      "An access key with a limit of bytes (--max-bytes) may copy from a bucket that " +
        "x-amz-copy-source names plainly: bucket/key",
    );
  }
  const response = await provider.forward({
    service: "s3",
    method: "HEAD",
    path: `/${encodeUri(path, true)}`,
    query: version === undefined ? "" : `versionId=${encodeUri(version, false)}`,
    headers: new Headers(),
    body: null,
    region,
  }, signal);
  await cancelUnread(response.body);
  return response.ok ? Number(response.headers.get("content-length") ?? 0) : 0;
}
