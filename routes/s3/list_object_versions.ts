/**
 * ListObjectVersions. No bucket has versions here, so each object is listed once, as S3 lists those
 * of a bucket that never had any: its version is `null`, and the latest.
 */
import { Failure } from "../../codecs/failure.ts";
import { listEncoding, renderXml, s3Time } from "../../codecs/s3_xml.ts";
import { encodeUri } from "../../codecs/uri.ts";
import type { S3Request } from "./handler.ts";
import { answerPage, lastName, listed, ownerOf, readListing, readPage } from "./listing.ts";

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
