/** CopyObject. */
import { Failure } from "../../codecs/failure.ts";
import { renderXml, s3Time } from "../../codecs/s3_xml.ts";
import { accountOfHeld } from "../../objects/held.ts";
import { checkBucket } from "../authorize.ts";
import { answerXml, checksumElements } from "./answer.ts";
import { checkCopySource, copySourceOf } from "./copy_source.ts";
import type { S3Request } from "./handler.ts";
import { conditionOf, describe, refuseHeaders } from "./new_object.ts";

/** Headers that make a copy of an object onto itself a change, in S3's eyes. */
const changing = [
  "x-amz-storage-class",
  "x-amz-server-side-encryption",
  "x-amz-website-redirect-location",
];

/** Copies an object within its provider, with its own description or one that the request has. */
export async function copyObject(request: S3Request): Promise<Response> {
  const { deps, reach, bucket, key, audit, signal } = request;
  const { headers } = request;
  refuseHeaders(headers);
  const source = copySourceOf(headers);
  const replaces = replacesDescription(headers);
  const isItself = source.bucket === bucket && source.key === key;
  if (isItself && !replaces && !changing.some((name) => headers.has(name))) {
    throw new Failure(
      "invalid",
      "This copy request is illegal because it is trying to copy an object to itself without " +
        "changing the object's metadata, storage class, website redirect location or encryption " +
        "attributes. Send x-amz-metadata-directive: REPLACE with what is to change",
    );
  }
  checkBucket(request.principal, source.bucket);
  await deps.objects.buckets.check(reach, source.bucket);
  const record = await deps.objects.copy(reach, {
    source,
    bucket,
    key,
    accept: (found) => checkCopySource(reach, headers, found),
    ...(replaces && { description: describe(headers) }),
    condition: conditionOf(headers),
  }, signal);
  audit.account = accountOfHeld(record) ?? null;
  return answerXml(
    await renderXml("CopyObjectResult", {
      LastModified: s3Time(record.modifiedAt),
      ETag: `"${record.etag}"`,
      ...checksumElements(record),
    }),
  );
}

function replacesDescription(headers: Headers): boolean {
  const name = "x-amz-metadata-directive";
  const directive = headers.get(name) ?? "COPY";
  if (directive === "COPY" || directive === "REPLACE") return directive === "REPLACE";
  throw new Failure("invalid", `${name} may be COPY or REPLACE`, {
    s3: "InvalidArgument",
    fields: { ArgumentName: name, ArgumentValue: directive },
  });
}
