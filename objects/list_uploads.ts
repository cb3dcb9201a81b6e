/** Listing the open uploads of a bucket: by key in the order of bytes, then by their beginning. */
import type { NamedUpload, UploadCatalog } from "../catalog/uploads.ts";
import { afterKey, afterPrefix, compareBytes } from "./byte_order.ts";
import { commonPrefixOf } from "./list.ts";
import { type Reach, scopeOf } from "../reach/reach.ts";

/** Parameters of a list. */
export interface UploadListRequest {
  readonly bucket: string;
  readonly prefix: string;
  /** Empty for none. */
  readonly delimiter: string;
  readonly maxUploads: number;
  /** Only uploads after this key, or, with an upload's id, after that upload of the key. */
  readonly keyMarker: string;
  readonly uploadIdMarker: string;
}

/** One page of uploads. */
export interface UploadPage {
  readonly uploads: readonly NamedUpload[];
  readonly commonPrefixes: readonly string[];
  /** The markers of the next page; absent on the last. */
  readonly next?: { readonly keyMarker: string; readonly uploadIdMarker: string };
}

const utf8 = new TextEncoder();

/** Lists a page of a bucket's open uploads; it costs the page, not the bucket. */
export async function listUploads(
  catalog: UploadCatalog,
  reach: Reach,
  request: UploadListRequest,
): Promise<UploadPage> {
  const { bucket, prefix, maxUploads, keyMarker } = request;
  const uploads: NamedUpload[] = [];
  const commonPrefixes: string[] = [];
  if (maxUploads === 0) return { uploads, commonPrefixes };
  let last = { keyMarker: "", uploadIdMarker: "" };
  let start: Start | undefined = startOf(request);
  while (start) {
    const found: AsyncGenerator<NamedUpload> = catalog.range(
      scopeOf(reach),
      bucket,
      start.position,
      start.afterId,
    );
    start = undefined;
    for await (const upload of found) {
      if (!upload.key.startsWith(prefix)) break;
      const common = commonPrefixOf(upload.key, request);
      const isPassed = common !== undefined && keyMarker !== "" &&
        compareBytes(utf8.encode(common), utf8.encode(keyMarker)) <= 0;
      if (!isPassed) {
        if (uploads.length + commonPrefixes.length === maxUploads) {
          return { uploads, commonPrefixes, next: last };
        }
        if (common === undefined) uploads.push(upload);
        else commonPrefixes.push(common);
        last = common === undefined
          ? { keyMarker: upload.key, uploadIdMarker: upload.id }
          : { keyMarker: common, uploadIdMarker: "" };
      }
      if (common !== undefined) {
        // All that it stands for is jumped over.
        start = { position: afterPrefix(common) };
        break;
      }
    }
  }
  return { uploads, commonPrefixes };
}

interface Start {
  readonly position: Uint8Array;
  readonly afterId?: string;
}

function startOf({ prefix, keyMarker, uploadIdMarker }: UploadListRequest): Start {
  const first = utf8.encode(prefix);
  if (keyMarker === "") return { position: first };
  const marker = utf8.encode(keyMarker);
  if (compareBytes(marker, first) < 0) return { position: first };
  // An id is counted only with its key, as in S3.
  if (uploadIdMarker === "") return { position: afterKey(keyMarker) };
  return { position: marker, afterId: uploadIdMarker };
}
