/** ListObjectsV2 and its elder, ListObjects. */
import { renderListBucketResult, renderListBucketResultV1 } from "../../codecs/s3_xml.ts";
import { owner } from "./buckets.ts";
import { type Call, type Handler, xmlText } from "./call.ts";
import type { StoredObject } from "./data.ts";
import { s3Failure } from "./errors.ts";
import { openToken, paginate, parseMax, sealToken } from "./listing.ts";

/** Lists a bucket's objects a page at a time. */
export const listObjectsV2: Handler = async (call) => {
  const { query, data, bucket } = call;
  const common = commonOf(call);
  const token = query.get("continuation-token");
  const startAfter = query.get("start-after");
  const after = token === undefined || token === "" ? startAfter ?? "" : openToken(token);
  const page = paginate(data.objects(bucket), { ...common, after });
  const withOwner = query.get("fetch-owner") === "true";
  return xmlText(
    await renderListBucketResult({
      ...shown(call, common),
      continuationToken: token,
      startAfter,
      nextContinuationToken: page.truncated ? sealToken(page.last) : undefined,
      contents: page.entries.map((object) => listed(object, withOwner)),
      commonPrefixes: page.prefixes,
    }),
  );
};

/** Lists a bucket's objects in the form that older clients know. */
export const listObjects: Handler = async (call) => {
  const { query, data, bucket } = call;
  const common = commonOf(call);
  const marker = query.get("marker") ?? "";
  const page = paginate(data.objects(bucket), { ...common, after: marker });
  return xmlText(
    await renderListBucketResultV1({
      ...shown(call, common),
      marker,
      isTruncated: page.truncated,
      nextMarker: page.truncated && common.delimiter !== "" ? page.last : undefined,
      contents: page.entries.map((object) => listed(object, true)),
      commonPrefixes: page.prefixes,
    }),
  );
};

interface Common {
  readonly prefix: string;
  readonly delimiter: string;
  readonly maxKeys: number;
}

function commonOf({ query, data, bucket, region }: Call): Common {
  data.bucket(bucket, region);
  return {
    prefix: query.get("prefix") ?? "",
    delimiter: query.get("delimiter") ?? "",
    maxKeys: parseMax(query, "max-keys"),
  };
}

/** Returns the parameters of the request that the answer repeats. */
function shown({ query, bucket }: Call, { prefix, delimiter, maxKeys }: Common) {
  const encoding = query.get("encoding-type");
  if (encoding !== undefined && encoding !== "url") {
    throw s3Failure("InvalidArgument", "Invalid Encoding Method specified in Request", {
      ArgumentName: "encoding-type",
    });
  }
  return {
    bucket,
    prefix,
    delimiter: delimiter === "" ? undefined : delimiter,
    maxKeys,
    encodingType: encoding as "url" | undefined,
  };
}

function listed(object: StoredObject, withOwner: boolean) {
  return {
    key: object.key,
    modifiedAt: Date.parse(object.modified),
    etag: object.etag,
    size: object.bytes,
    storageClass: object.headers["x-amz-storage-class"] ?? "STANDARD",
    ...(withOwner ? { owner } : {}),
  };
}
