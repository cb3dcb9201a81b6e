/** ListObjectsV2; ListObjects, which older clients still send; and ListObjectVersions. */
import { Buffer } from "node:buffer";
import { Failure } from "../../codecs/failure.ts";
import {
  listEncoding,
  renderListBucketResult,
  renderListBucketResultV1,
  renderXml,
  s3Time,
} from "../../codecs/s3_xml.ts";
import { encodeUri } from "../../codecs/uri.ts";
import type { S3Request } from "./handler.ts";
import { answerPage, lastName, listed, ownerOf, readListing, readPage } from "./listing.ts";

/** Lists a page of a bucket. */
export async function listObjectsV2(request: S3Request): Promise<Response> {
  const { deps, reach, bucket, parameters, principal } = request;
  const listing = readListing(parameters);
  const kind = JSON.stringify(["objects", principal.tenant, reach.provider.name, bucket]);
  const token = parameters.get("continuation-token") ?? "";
  const position = token === "" ? undefined : positionOf(deps.tokens.open(kind, token));
  const startAfter = parameters.get("start-after") ?? "";
  const page = await readPage(request, listing, { startAfter, ...(position && { position }) });
  const owner = parameters.get("fetch-owner") === "true" ? ownerOf(request) : undefined;
  const { next } = page;
  return answerPage(
    request,
    page,
    () =>
      renderListBucketResult({
        ...listing,
        bucket,
        delimiter: listing.delimiter || undefined,
        continuationToken: parameters.get("continuation-token"),
        startAfter: startAfter || undefined,
        nextContinuationToken: next && deps.tokens.seal(kind, Buffer.from(next).toString("base64")),
        contents: listed(page, owner),
        commonPrefixes: page.commonPrefixes,
      }),
  );
}

function positionOf(opened: unknown): Uint8Array {
  if (typeof opened === "string") return Buffer.from(opened, "base64");
  throw new Failure(
    "invalid",
    "The continuation-token is not one that this bucket's last page answered. List from the start",
    { s3: "InvalidArgument", fields: { ArgumentName: "continuation-token" } },
  );
}

/** Lists a page of a bucket. */
export async function listObjects(request: S3Request): Promise<Response> {
  const { bucket, parameters } = request;
  const listing = readListing(parameters);
  const marker = parameters.get("marker") ?? "";
  const page = await readPage(request, listing, { startAfter: marker });
  const isTruncated = page.next !== undefined;
  return answerPage(
    request,
    page,
    () =>
      renderListBucketResultV1({
        ...listing,
        bucket,
        delimiter: listing.delimiter || undefined,
        marker,
        isTruncated,
        // Without a delimiter S3 gives none: clients go on from the last key.
        nextMarker: isTruncated && listing.delimiter !== "" ? lastName(page)?.name : undefined,
        contents: listed(page, ownerOf(request)),
        commonPrefixes: page.commonPrefixes,
      }),
  );
}

/** The version of an object in a bucket without versions. */
const nullVersion = "null";

/** Lists a page of a bucket's versions. */
export async function listObjectVersions(request: S3Request): Promise<Response> {
  const { bucket, parameters } = request;
  const listing = readListing(parameters);
  const keyMarker = parameters.get("key-marker") ?? "";
  const versionMarker = parameters.get("version-id-marker") ?? "";
  if (versionMarker !== "" && keyMarker === "") {
    throw new Failure("invalid", "A version-id-marker needs a key-marker", {
      s3: "InvalidArgument",
      fields: { ArgumentName: "version-id-marker", ArgumentValue: versionMarker },
    });
  }
  const page = await readPage(request, listing, { startAfter: keyMarker });
  const { id, displayName } = ownerOf(request);
  const { delimiter, prefix } = listing;
  const encodingType = listEncoding(listing.encodingType, [
    ...page.objects.map(({ key }) => key),
    ...page.commonPrefixes,
    prefix,
    delimiter,
    keyMarker,
  ]);
  const named = (name: string) => encodingType === "url" ? encodeUri(name, true) : name;
  const last = page.next && lastName(page);
  const render = () =>
    renderXml("ListVersionsResult", {
      Name: bucket,
      Prefix: named(prefix),
      KeyMarker: named(keyMarker),
      VersionIdMarker: versionMarker,
      NextKeyMarker: last && named(last.name),
      NextVersionIdMarker: last?.isKey ? nullVersion : undefined,
      MaxKeys: listing.maxKeys,
      Delimiter: delimiter === "" ? undefined : named(delimiter),
      EncodingType: encodingType,
      IsTruncated: page.next !== undefined,
      Version: listed(page, undefined).map((object) => ({
        Key: named(object.key),
        VersionId: nullVersion,
        IsLatest: true,
        LastModified: s3Time(object.modifiedAt),
        ETag: `"${object.etag}"`,
        Size: object.size,
        StorageClass: "STANDARD",
        Owner: { ID: id, DisplayName: displayName },
      })),
      CommonPrefixes: page.commonPrefixes.map((prefix) => ({ Prefix: named(prefix) })),
    });
  return answerPage(request, page, render);
}
