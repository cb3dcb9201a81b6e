/** CreateMultipartUpload. */
import { algorithmName, wantedChecksum } from "../../codecs/object_checksum.ts";
import { renderXml } from "../../codecs/s3_xml.ts";
import { answerXml } from "./answer.ts";
import type { S3Request } from "./handler.ts";
import { describe } from "./new_object.ts";
import { refusePromises } from "./promises.ts";

/** Opens an upload; what its headers say of the object is kept until the upload is completed. */
export async function createMultipartUpload(request: S3Request): Promise<Response> {
  const { deps, reach, bucket, key } = request;
  const { headers } = request;
  refusePromises(headers);
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
