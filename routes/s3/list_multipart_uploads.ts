/** ListMultipartUploads. */
import { Failure } from "../../codecs/failure.ts";
import { algorithmName } from "../../codecs/object_checksum.ts";
import { listEncoding, renderXml, s3Time } from "../../codecs/s3_xml.ts";
import { encodeUri } from "../../codecs/uri.ts";
import { answerXml } from "./answer.ts";
import type { S3Request } from "./handler.ts";
import { encodingOf, ownerOf, pageSize } from "./listing.ts";

/** Ids of uploads are half as long; a key of the catalog has room for no more than 2 KiB. */
const maxMarker = 64;

/** Lists a page of the uploads of a bucket that are neither completed nor aborted. */
export async function listMultipartUploads(request: S3Request): Promise<Response> {
  const { deps, reach, bucket, parameters } = request;
  const text = (name: string) => parameters.get(name) ?? "";
  const wanted = encodingOf(parameters);
  const asked = {
    bucket,
    prefix: text("prefix"),
    delimiter: text("delimiter"),
    maxUploads: pageSize(parameters, "max-uploads"),
    keyMarker: text("key-marker"),
    uploadIdMarker: text("upload-id-marker"),
  };
  if (asked.uploadIdMarker.length > maxMarker) {
    throw new Failure("invalid", "upload-id-marker is longer than the id of any upload", {
      s3: "InvalidArgument",
      fields: { ArgumentName: "upload-id-marker" },
    });
  }
  const page = await deps.objects.multipart.list(reach, asked);
  const encodingType = listEncoding(wanted, [
    ...page.uploads.map(({ key }) => key),
    ...page.commonPrefixes,
    asked.prefix,
    asked.delimiter,
    asked.keyMarker,
  ]);
  const named = (name: string) => encodingType === "url" ? encodeUri(name, true) : name;
  const { id, displayName } = ownerOf(request);
  const owner = { ID: id, DisplayName: displayName };
  return answerXml(
    await renderXml("ListMultipartUploadsResult", {
      Bucket: bucket,
      KeyMarker: named(asked.keyMarker),
      UploadIdMarker: asked.uploadIdMarker,
      NextKeyMarker: page.next && named(page.next.keyMarker),
      NextUploadIdMarker: page.next?.uploadIdMarker,
      Prefix: named(asked.prefix),
      Delimiter: asked.delimiter === "" ? undefined : named(asked.delimiter),
      EncodingType: encodingType,
      MaxUploads: asked.maxUploads,
      IsTruncated: page.next !== undefined,
      Upload: page.uploads.map(({ key, id, record }) => ({
        Key: named(key),
        UploadId: id,
        Initiator: owner,
        Owner: owner,
        StorageClass: "STANDARD",
        Initiated: s3Time(record.startedAt),
        ChecksumAlgorithm: record.checksum && algorithmName(record.checksum.header),
        ChecksumType: record.checksum?.type,
      })),
      CommonPrefixes: page.commonPrefixes.map((prefix) => ({ Prefix: named(prefix) })),
    }),
  );
}
