/** CreateMultipartUpload, AbortMultipartUpload, ListParts and ListMultipartUploads. */
import { Failure } from "../../codecs/failure.ts";
import { algorithmName, wantedChecksum } from "../../codecs/object_checksum.ts";
import { listEncoding, renderXml, s3Time } from "../../codecs/s3_xml.ts";
import { encodeUri } from "../../codecs/uri.ts";
import type { UploadName } from "../../objects/multipart.ts";
import { answerXml, knownChecksums } from "./answer.ts";
import type { S3Request } from "./handler.ts";
import { encodingOf, ownerOf, pageSize } from "./listing.ts";
import { describe, refuseHeaders } from "./new_object.ts";

/** Opens an upload; what its headers say of the object is kept until the upload is completed. */
export async function createMultipartUpload(request: S3Request): Promise<Response> {
  const { deps, reach, bucket, key } = request;
  const { headers } = request;
  refuseHeaders(headers);
  const checksum = wantedChecksum(headers);
  const id = await deps.objects.multipart.create(reach, {
    bucket,
    key,
    ...describe(headers),
    ...(checksum && { checksum }),
  });
  const xml = await renderXml("InitiateMultipartUploadResult", {
    Bucket: bucket,
    Key: key,
    UploadId: id,
  });
  if (!checksum) return answerXml(xml);
  return answerXml(xml, {
    "x-amz-checksum-algorithm": algorithmName(checksum.header),
    "x-amz-checksum-type": checksum.type,
  });
}

/** Gives an upload up: its parts are gone, and no provider ever heard of it. */
export async function abortMultipartUpload(request: S3Request): Promise<Response> {
  await request.deps.objects.multipart.abort(request.reach, uploadNameOf(request));
  return new Response(null, { status: 204 });
}

/** Lists a page of the parts that an upload has so far. */
export async function listParts(request: S3Request): Promise<Response> {
  const { deps, reach, bucket, key, parameters } = request;
  const maxParts = pageSize(parameters, "max-parts");
  const marker = partMarker(parameters, "part-number-marker");
  const name = uploadNameOf(request);
  const upload = await deps.objects.multipart.open(reach, name);
  const { parts, isTruncated } = await deps.objects.multipart.parts(upload, marker, maxParts);
  const { id, displayName } = ownerOf(request);
  const owner = { ID: id, DisplayName: displayName };
  const { checksum } = upload.record;
  return answerXml(
    await renderXml("ListPartsResult", {
      Bucket: bucket,
      Key: key,
      UploadId: name.uploadId,
      PartNumberMarker: marker,
      NextPartNumberMarker: parts.at(-1)?.number ?? marker,
      MaxParts: maxParts,
      IsTruncated: isTruncated,
      Part: parts.map(({ number, modifiedAt, md5, bytes, checksums }) => ({
        PartNumber: number,
        LastModified: s3Time(modifiedAt),
        ETag: `"${md5}"`,
        Size: bytes,
        ...knownChecksums(checksums),
      })),
      Initiator: owner,
      Owner: owner,
      StorageClass: "STANDARD",
      ChecksumAlgorithm: checksum && algorithmName(checksum.header),
      ChecksumType: checksum?.type,
    }),
  );
}

/** The number after which a list of parts is to begin, by the parameter of this name. */
export function partMarker(parameters: ReadonlyMap<string, string>, name: string): number {
  const text = parameters.get(name) ?? "";
  if (text === "") return 0;
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  throw new Failure("invalid", `${name} must be a whole number`, {
    s3: "InvalidArgument",
    fields: { ArgumentName: name, ArgumentValue: text },
  });
}

/** Ids of uploads are half as long; a key of the catalog has room for no more than 2 KiB. */
const maxMarker = 64;

/** Lists a page of the uploads of a bucket that are neither completed nor aborted. */
export async function listMultipartUploads(request: S3Request): Promise<Response> {
  const { deps, reach, bucket, parameters } = request;
  const text = (name: string) => parameters.get(name) ?? "";
  const wanted = encodingOf(parameters);
  const requested = {
    bucket,
    prefix: text("prefix"),
    delimiter: text("delimiter"),
    maxUploads: pageSize(parameters, "max-uploads"),
    keyMarker: text("key-marker"),
    uploadIdMarker: text("upload-id-marker"),
  };
  if (requested.uploadIdMarker.length > maxMarker) {
    throw new Failure("invalid", "upload-id-marker is longer than the id of any upload", {
      s3: "InvalidArgument",
      fields: { ArgumentName: "upload-id-marker" },
    });
  }
  const page = await deps.objects.multipart.list(reach, requested);
  const encodingType = listEncoding(wanted, [
    ...page.uploads.map(({ key }) => key),
    ...page.commonPrefixes,
    requested.prefix,
    requested.delimiter,
    requested.keyMarker,
  ]);
  const named = (name: string) => encodingType === "url" ? encodeUri(name, true) : name;
  const { id, displayName } = ownerOf(request);
  const owner = { ID: id, DisplayName: displayName };
  return answerXml(
    await renderXml("ListMultipartUploadsResult", {
      Bucket: bucket,
      KeyMarker: named(requested.keyMarker),
      UploadIdMarker: requested.uploadIdMarker,
      NextKeyMarker: page.next && named(page.next.keyMarker),
      NextUploadIdMarker: page.next?.uploadIdMarker,
      Prefix: named(requested.prefix),
      Delimiter: requested.delimiter === "" ? undefined : named(requested.delimiter),
      EncodingType: encodingType,
      MaxUploads: requested.maxUploads,
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

/** S3's greatest number of a part. */
const maxNumber = 10_000;

/** The upload that a request names. */
export function uploadNameOf({ bucket, key, parameters }: S3Request): UploadName {
  return { bucket, key, uploadId: parameters.get("uploadId") ?? "" };
}

/** The part that a request names. Throws `invalid`, InvalidArgument, for no part's number. */
export function partNumberOf({ parameters }: S3Request): number {
  const text = parameters.get("partNumber") ?? "";
  const number = /^[0-9]{1,6}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= maxNumber) return number;
  throw new Failure("invalid", `partNumber must be a number from 1 to ${maxNumber}`, {
    s3: "InvalidArgument",
    fields: { ArgumentName: "partNumber", ArgumentValue: text },
  });
}
