/** Which upload, and which part of it, a request is about. */
import { Failure } from "../../codecs/failure.ts";
import type { UploadName } from "../../objects/multipart.ts";
import type { S3Request } from "./handler.ts";

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
