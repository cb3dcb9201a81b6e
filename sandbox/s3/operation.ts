/** Decides which S3 operation a request is, only from method, path and query. */
import { decodeKey, parseRawQuery } from "../../codecs/uri.ts";
import { isBucketName } from "../../codecs/s3_uri.ts";
import { s3Failure } from "./errors.ts";

/** What the simulated S3 can do. */
export type Operation =
  | "ListBuckets"
  | "CreateBucket"
  | "HeadBucket"
  | "DeleteBucket"
  | "GetBucketLocation"
  | "ListObjects"
  | "ListObjectsV2"
  | "ListMultipartUploads"
  | "DeleteObjects"
  | "PutObject"
  | "CopyObject"
  | "GetObject"
  | "HeadObject"
  | "DeleteObject"
  | "CreateMultipartUpload"
  | "UploadPart"
  | "UploadPartCopy"
  | "CompleteMultipartUpload"
  | "AbortMultipartUpload"
  | "ListParts";

/** A request's operation and what it is about; a name that does not apply is empty. */
export interface Target {
  readonly operation: Operation;
  readonly bucket: string;
  readonly key: string;
  /** Decoded; the first value of a repeated name. */
  readonly query: ReadonlyMap<string, string>;
}

/** Query names that choose another operation of S3 than those above. */
const otherOperations = new Set([
  "accelerate",
  "acl",
  "analytics",
  "attributes",
  "cors",
  "encryption",
  "intelligent-tiering",
  "inventory",
  "legal-hold",
  "lifecycle",
  "logging",
  "metrics",
  "notification",
  "object-lock",
  "ownershipControls",
  "policy",
  "policyStatus",
  "publicAccessBlock",
  "renameObject",
  "replication",
  "requestPayment",
  "restore",
  "retention",
  "select",
  "session",
  "tagging",
  "torrent",
  "versioning",
  "versions",
  "website",
]);

/**
 * Names the operation.
 *
 * @param path Raw, below the mount.
 * @param rawQuery Raw, without `?`.
 * @param copies Whether there is an `x-amz-copy-source` header.
 * @throws {Failure} NotImplemented, MethodNotAllowed, InvalidBucketName, KeyTooLongError or
 * InvalidURI.
 */
export function parseTarget(
  method: string,
  path: string,
  rawQuery: string,
  copies: boolean,
): Target {
  const query = new Map(parseRawQuery(rawQuery).reverse());
  for (const name of query.keys()) {
    if (otherOperations.has(name)) throw s3Failure("NotImplemented");
  }
  const version = query.get("versionId");
  if (version !== undefined && version !== "null") {
    throw s3Failure("NotImplemented", "Versions of objects are not simulated.");
  }
  const slash = path.indexOf("/", 1);
  const bucket = decodeKey(slash < 0 ? path.slice(1) : path.slice(1, slash));
  const key = decodeKey(slash < 0 ? "" : path.slice(slash + 1));
  if (bucket === undefined || key === undefined) throw s3Failure("InvalidURI");
  if (bucket === "") {
    if (method === "GET" && key === "") return { operation: "ListBuckets", bucket, key, query };
    throw s3Failure("MethodNotAllowed");
  }
  if (!isBucketName(bucket)) {
    throw s3Failure("InvalidBucketName", undefined, { BucketName: bucket });
  }
  const bytes = new TextEncoder().encode(key).length;
  if (bytes > 1024) {
    throw s3Failure("KeyTooLongError", undefined, { Size: `${bytes}`, MaxSizeAllowed: "1024" });
  }
  const operation = key === ""
    ? bucketOperation(method, query)
    : objectOperation(method, query, copies);
  if (operation === undefined) throw s3Failure("MethodNotAllowed");
  return { operation, bucket, key, query };
}

type Query = ReadonlyMap<string, string>;

function bucketOperation(method: string, query: Query): Operation | undefined {
  switch (method) {
    case "GET":
      if (query.has("location")) return "GetBucketLocation";
      if (query.has("uploads")) return "ListMultipartUploads";
      return query.get("list-type") === "2" ? "ListObjectsV2" : "ListObjects";
    case "HEAD":
      return "HeadBucket";
    case "PUT":
      return "CreateBucket";
    case "DELETE":
      return "DeleteBucket";
    case "POST":
      if (query.has("delete")) return "DeleteObjects";
      throw s3Failure("NotImplemented", "Uploads by an HTML form are not simulated.");
    default:
      return undefined;
  }
}

function objectOperation(method: string, query: Query, copies: boolean): Operation | undefined {
  const upload = query.has("uploadId");
  switch (method) {
    case "GET":
      return upload ? "ListParts" : "GetObject";
    case "HEAD":
      return "HeadObject";
    case "PUT":
      if (upload || query.has("partNumber")) return copies ? "UploadPartCopy" : "UploadPart";
      return copies ? "CopyObject" : "PutObject";
    case "DELETE":
      return upload ? "AbortMultipartUpload" : "DeleteObject";
    case "POST":
      if (query.has("uploads")) return "CreateMultipartUpload";
      return upload ? "CompleteMultipartUpload" : undefined;
    default:
      return undefined;
  }
}
