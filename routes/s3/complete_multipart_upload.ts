/** CompleteMultipartUpload, and the document that it comes with. */
import type { ObjectEntry } from "../../catalog/entries.ts";
import { Failure } from "../../codecs/failure.ts";
import { parseEntityTags } from "../../codecs/preconditions.ts";
import { s3Error } from "../../codecs/s3_errors.ts";
import {
  childrenNamed,
  childText,
  parseXml,
  renderS3Error,
  renderXml,
  type XmlElement,
} from "../../codecs/s3_xml.ts";
import type { NamedPart } from "../../objects/chosen_parts.ts";
import { accountOfHeld } from "../../objects/held.ts";
import { digestsOf, readDocument } from "../body.ts";
import { checksumElements, checksumNames } from "./answer.ts";
import type { S3Request } from "./handler.ts";
import { uploadNameOf } from "./multipart_upload.ts";
import { conditionOf } from "./new_object.ts";
import { answerPatiently, defaultPace } from "./patient_answer.ts";

const sizeHeader = "x-amz-mp-object-size";

/** Makes an object of an upload's parts. Sending them to the provider takes as long as a put. */
export async function completeMultipartUpload(request: S3Request): Promise<Response> {
  const { deps, reach, audit } = request;
  const { headers } = request;
  const name = uploadNameOf(request);
  const document = await readDocument(request, maxCompleteBytes, digestsOfBody(request));
  const parts = await readCompleteDocument(document);
  const bytes = sizeOf(headers.get(sizeHeader));
  const work = deps.objects.multipart.complete(reach, {
    ...name,
    parts,
    condition: conditionOf(headers),
    checksums: checksumsOf(headers),
    ...(bytes !== undefined && { bytes }),
  }).then((record) => {
    audit.account = accountOfHeld(record) ?? null;
    return render(request, record);
  });
  return await answerPatiently(work, (error) => renderFailure(request, error), {
    ...defaultPace,
    ...deps.completePace,
  });
}

function render({ request, bucket, key }: S3Request, record: ObjectEntry): string {
  return renderXml("CompleteMultipartUploadResult", {
    Location: request.url.replace(/\?.*$/s, ""),
    Bucket: bucket,
    Key: key,
    ETag: `"${record.etag}"`,
    ...checksumElements(record),
  });
}

/** An error that comes when 200 has been sent. */
function renderFailure(request: S3Request, failure: unknown): string {
  const { requestId, target, deps } = request;
  const error = s3Error(failure);
  if (error.status >= 500) deps.broken(request, failure);
  return renderS3Error({ ...error, requestId, hostId: requestId, resource: target.path });
}

/** The digests of the document: a checksum among the headers is the object's. */
function digestsOfBody(request: S3Request) {
  const own = [...request.headers].filter(([name]) => !name.startsWith("x-amz-checksum-"));
  return digestsOf({ ...request, headers: new Headers(own) });
}

function checksumsOf(headers: Headers): Record<string, string> {
  return Object.fromEntries(
    Object.keys(checksumNames).flatMap((header) => {
      const value = headers.get(header);
      return value ? [[header, value] as const] : [];
    }),
  );
}

function sizeOf(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new Failure("invalid", `${sizeHeader} must be a whole number of bytes`, {
    s3: "InvalidArgument",
    fields: { ArgumentName: sizeHeader, ArgumentValue: text },
  });
}

/** The largest document: 10,000 parts of 400 bytes, and none has so many. */
const maxCompleteBytes = 4 * 1024 * 1024;
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
