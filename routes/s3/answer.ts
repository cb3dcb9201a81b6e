/** XML documents that go out, and the checksums in them. */
import type { ObjectEntry } from "../../catalog/entries.ts";
import { typeOfChecksum } from "../../codecs/object_checksum.ts";
import type { XmlElements } from "../../codecs/s3_xml.ts";
import { answerBytes, answerText } from "../text_answer.ts";

/** Answers with a document, written or encoded already. */
export function answerXml(
  xml: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const all = { "content-type": "application/xml", ...headers };
  return typeof xml === "string" ? answerText(xml, all) : answerBytes(xml, all);
}

/** The element of each checksum, by its header. */
export const checksumNames: Readonly<Record<string, string>> = {
  "x-amz-checksum-crc32": "ChecksumCRC32",
  "x-amz-checksum-crc32c": "ChecksumCRC32C",
  "x-amz-checksum-crc64nvme": "ChecksumCRC64NVME",
  "x-amz-checksum-sha1": "ChecksumSHA1",
  "x-amz-checksum-sha256": "ChecksumSHA256",
};

/** The checksums of an object, and what they are of; empty for none. */
export function checksumElements({ checksums }: Pick<ObjectEntry, "checksums">): XmlElements {
  const known = knownChecksums(checksums);
  const [first] = Object.values(known);
  return first === undefined ? {} : { ...known, ChecksumType: typeOfChecksum(String(first)) };
}

/** Checksums by the names of their elements. */
export function knownChecksums(checksums: Readonly<Record<string, string>>): XmlElements {
  return Object.fromEntries(
    Object.entries(checksumNames).flatMap(([header, element]) => {
      const value = checksums[header];
      return value === undefined ? [] : [[element, value] as const];
    }),
  );
}
