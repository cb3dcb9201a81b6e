/** DeleteObjects: up to 1,000 keys in one request. */
import { childrenNamed, childText, type XmlElements } from "../../codecs/s3_xml.ts";
import { s3Error } from "../../codecs/s3_errors.ts";
import { type Handler, receiveXml, xmlResponse } from "./call.ts";
import { checkDelete } from "./conditions.ts";
import { s3Failure } from "./errors.ts";

const maxKeys = 1000;

/** Deletes each key that the document names; a key that is not there counts as deleted. */
export const deleteObjects: Handler = async ({ request, data, bucket, region }) => {
  data.bucket(bucket, region);
  if (![...request.headers.keys()].some((name) => /^content-md5$|^x-amz-checksum-/.test(name))) {
    const trailer = request.headers.get("x-amz-trailer") ?? "";
    if (!trailer.includes("x-amz-checksum-")) {
      throw s3Failure("InvalidRequest", "Missing required header for this request: Content-MD5");
    }
  }
  const document = await receiveXml(request, "Delete");
  const entries = childrenNamed(document, "Object");
  if (entries.length === 0 || entries.length > maxKeys) throw s3Failure("MalformedXML");
  const quiet = childText(document, "Quiet")?.trim() === "true";
  const deleted: XmlElements[] = [];
  const errors: XmlElements[] = [];
  for (const entry of entries) {
    const key = childText(entry, "Key");
    if (key === undefined || key === "") throw s3Failure("MalformedXML");
    try {
      checkDelete(childText(entry, "ETag") ?? null, data.find(bucket, key));
      await data.remove(bucket, key);
      deleted.push({ Key: key });
    } catch (error) {
      const { code, message } = s3Error(error);
      errors.push({ Key: key, Code: code, Message: message });
    }
  }
  return await xmlResponse("DeleteResult", {
    Deleted: quiet ? undefined : deleted,
    Error: errors,
  });
};
