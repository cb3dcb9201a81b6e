/** The document that CompleteMultipartUpload comes with. */
import { Failure } from "../../codecs/failure.ts";
import { parseEntityTags } from "../../codecs/preconditions.ts";
import { childrenNamed, childText, parseXml, type XmlElement } from "../../codecs/s3_xml.ts";
import type { NamedPart } from "../../objects/chosen_parts.ts";
import { checksumNames } from "./checksum_elements.ts";

/** What a document may have: 10,000 parts of 400 bytes, and none has so many. */
export const maxCompleteBytes = 4 * 1024 * 1024;
const maxParts = 10_000;

/**
 * Reads which parts make the object. ETags come with quotes, without, and with quotes as entities
 * (rclone, captured 2026-11). Throws `invalid`, MalformedXML, where the document names none.
 */
export async function readCompleteDocument(document: Uint8Array): Promise<NamedPart[]> {
  const root = await parseXml(document, {
    maxBytes: maxCompleteBytes,
    root: "CompleteMultipartUpload",
  });
  const parts = childrenNamed(root, "Part").map(readPart);
  if (parts.length > 0 && parts.length <= maxParts) return parts;
  throw malformed(`A request names 1 to ${maxParts} parts, this one ${parts.length}`);
}

function readPart(element: XmlElement): NamedPart {
  const number = childText(element, "PartNumber")?.trim() ?? "";
  const [etag = ""] = parseEntityTags(childText(element, "ETag") ?? null) ?? [];
  if (!/^[0-9]{1,9}$/.test(number) || etag === "") {
    throw malformed("Each Part needs a PartNumber, which is a whole number, and an ETag");
  }
  const checksums = Object.entries(checksumNames).flatMap(([header, name]) => {
    const value = childText(element, name)?.trim();
    return value ? [[header, value] as const] : [];
  });
  return { number: Number(number), etag, checksums: Object.fromEntries(checksums) };
}

function malformed(message: string): Failure {
  return new Failure("invalid", message, { s3: "MalformedXML" });
}
