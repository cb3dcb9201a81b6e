/** ListParts. */
import { Failure } from "../../codecs/failure.ts";
import { algorithmName } from "../../codecs/object_checksum.ts";
import { renderXml, s3Time } from "../../codecs/s3_xml.ts";
import { knownChecksums } from "./checksum_elements.ts";
import { answerXml } from "./answer.ts";
import type { S3Request } from "./handler.ts";
import { ownerOf, pageSize } from "./listing.ts";
import { uploadNameOf } from "./upload_name.ts";

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
