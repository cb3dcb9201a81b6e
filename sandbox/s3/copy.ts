/** CopyObject, and how it and UploadPartCopy find their source. */
import { decodeKey } from "../../codecs/uri.ts";
import { objectHeaders } from "./body.ts";
import { type Call, type Handler, quoted, xmlResponse } from "./call.ts";
import { checkCopySource, checkWrite } from "./conditions.ts";
import type { StoredObject } from "./data.ts";
import { s3Failure } from "./errors.ts";

/** Copies an object, with its headers and metadata or with new ones. */
export const copyObject: Handler = async (call) => {
  const { request, data, bucket, key, region } = call;
  const { headers } = request;
  data.bucket(bucket, region);
  const source = copySource(call);
  const replaces = directive(headers) === "REPLACE";
  const kept = replaces ? objectHeaders(headers) : { ...source.object.headers };
  const storageClass = headers.get("x-amz-storage-class");
  if (storageClass !== null) kept["x-amz-storage-class"] = storageClass;
  if (source.bucket === bucket && source.object.key === key && !replaces && !storageClass) {
    throw s3Failure(
      "InvalidRequest",
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  checkWrite(headers, data.find(bucket, key));
  const copied = await data.put(bucket, key, {
    body: data.read(source.object),
    headers: kept,
    checksums: () => source.object.checksums,
    check: (existing) => checkWrite(headers, existing),
  });
  data.createBucket(bucket, region);
  return await xmlResponse("CopyObjectResult", {
    LastModified: copied.modified,
    ETag: quoted(copied.etag),
  });
};

function directive(headers: Headers): "COPY" | "REPLACE" {
  const value = headers.get("x-amz-metadata-directive") ?? "COPY";
  if (value !== "COPY" && value !== "REPLACE") {
    throw s3Failure("InvalidArgument", "Unknown metadata directive.", {
      ArgumentName: "x-amz-metadata-directive",
    });
  }
  return value;
}

/** An object to be copied from. */
export interface CopySource {
  readonly bucket: string;
  readonly object: StoredObject;
}

/**
 * Finds the object that `x-amz-copy-source` names and evaluates the conditions on it.
 *
 * @throws {Failure} InvalidArgument, NoSuchBucket, NoSuchKey, PreconditionFailed or NotImplemented.
 */
export function copySource({ request, data, region }: Call): CopySource {
  const header = request.headers.get("x-amz-copy-source") ?? "";
  const [raw = "", version] = header.replace(/^\//, "").split("?versionId=");
  if (version !== undefined && version !== "null") {
    throw s3Failure("NotImplemented", "Versions of objects are not simulated.");
  }
  // Only in this header a plus is a space: the Go SDK writes it so (s5cmd 2.3.0, 2026-11).
  const path = decodeKey(raw.replaceAll("+", " "));
  const slash = path?.indexOf("/") ?? -1;
  if (path === undefined || slash < 1 || slash === path.length - 1) {
    throw s3Failure(
      "InvalidArgument",
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
      { ArgumentName: "x-amz-copy-source" },
    );
  }
  const bucket = path.slice(0, slash);
  const key = path.slice(slash + 1);
  data.bucket(bucket, region);
  const object = data.find(bucket, key);
  if (object === undefined) throw s3Failure("NoSuchKey", undefined, { Key: key });
  checkCopySource(request.headers, object);
  return { bucket, object };
}
