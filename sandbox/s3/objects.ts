/** PutObject, GetObject, HeadObject and DeleteObject. */
import { objectHeaders, receiveBody } from "./body.ts";
import { type Call, type Handler, quoted, requireObject } from "./call.ts";
import { checkDelete, checkRead, checkWrite, parseRange, type Slice } from "./conditions.ts";
import type { StoredObject } from "./data.ts";
import { s3Failure } from "./errors.ts";

/** Stores an object; what was there is seen until the new one is whole and verified. */
export const putObject: Handler = async ({ request, data, bucket, key, region }) => {
  data.bucket(bucket, region);
  checkWrite(request.headers, data.find(bucket, key));
  const headers = objectHeaders(request.headers);
  const { stream, checksums } = await receiveBody(request);
  const object = await data.put(bucket, key, {
    body: stream,
    headers,
    checksums,
    check: (existing) => checkWrite(request.headers, existing),
  });
  data.createBucket(bucket, region);
  return new Response(null, { headers: { etag: quoted(object.etag), ...object.checksums } });
};

/** Sends an object, or a range or part of it. */
export const getObject: Handler = async (call) => await answer(call, true);

/** Sends what GetObject would, without the bytes. */
export const headObject: Handler = async (call) => await answer(call, false);

/** Deletes an object; 204 also where there was none. */
export const deleteObject: Handler = async ({ request, data, bucket, key, region }) => {
  data.bucket(bucket, region);
  checkDelete(request.headers.get("if-match"), data.find(bucket, key));
  await data.remove(bucket, key);
  return new Response(null, { status: 204 });
};

/** Query names by which a signed request replaces headers of the answer. */
const overrides = {
  "response-content-type": "content-type",
  "response-content-disposition": "content-disposition",
  "response-content-encoding": "content-encoding",
  "response-content-language": "content-language",
  "response-cache-control": "cache-control",
  "response-expires": "expires",
} as const;

function answer(call: Call, withBody: boolean): Response {
  const { request, query, data } = call;
  const object = requireObject(call);
  const headers = new Headers({
    etag: quoted(object.etag),
    "last-modified": new Date(object.modified).toUTCString(),
  });
  if (checkRead(request.headers, object) === "not-modified") {
    return new Response(null, { status: 304, headers });
  }
  headers.set("accept-ranges", "bytes");
  for (const [name, value] of Object.entries(object.headers)) {
    // S3 does not name the storage class that is the usual one.
    if (name !== "x-amz-storage-class" || value !== "STANDARD") headers.set(name, value);
  }
  for (const [name, header] of Object.entries(overrides)) {
    const value = query.get(name);
    if (value !== undefined) headers.set(header, value);
  }
  const part = query.get("partNumber");
  if (part !== undefined && object.parts.length > 0) {
    headers.set("x-amz-mp-parts-count", `${object.parts.length}`);
  }
  const slice = part === undefined
    ? parseRange(request.headers.get("range"), object.bytes)
    : partSlice(part, object);
  if (slice === undefined) {
    // A checksum is of the whole object: boto3 fails on one that comes with a part of it.
    if (request.headers.get("x-amz-checksum-mode")?.toUpperCase() === "ENABLED") {
      for (const [name, value] of Object.entries(object.checksums)) headers.set(name, value);
    }
    headers.set("content-length", `${object.bytes}`);
    return new Response(withBody ? data.read(object) : null, { headers });
  }
  const { first, last } = slice;
  headers.set("content-range", `bytes ${first}-${last}/${object.bytes}`);
  headers.set("content-length", `${last - first + 1}`);
  return new Response(withBody ? data.read(object, first, last) : null, { status: 206, headers });
}

/** Returns where a part lies; an object that was put in one piece is its only part. */
function partSlice(text: string, { parts, bytes }: StoredObject): Slice | undefined {
  const sizes = parts.length > 0 ? parts : [bytes];
  const number = Number(text);
  const size = sizes[number - 1];
  if (!/^\d+$/.test(text) || size === undefined) {
    throw s3Failure("InvalidPart", "The requested partnumber is not satisfiable");
  }
  const first = sizes.slice(0, number - 1).reduce((sum, part) => sum + part, 0);
  return size === 0 ? undefined : { first, last: first + size - 1 };
}
