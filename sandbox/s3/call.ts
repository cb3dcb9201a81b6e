/** What a handler of an S3 operation is given. */
import { parseXml, renderXml, type XmlContent, type XmlElement } from "../../codecs/s3_xml.ts";
import type { SandboxContext, SandboxRequest } from "../context.ts";
import type { S3Data, StoredObject } from "./data.ts";
import { receiveText } from "./body.ts";
import { s3Failure } from "./errors.ts";
import type { Target } from "./operation.ts";

/** A verified request and what it is about. */
export interface Call extends Omit<Target, "operation"> {
  readonly request: SandboxRequest;
  readonly context: SandboxContext;
  readonly data: S3Data;
  /** The region that the caller signed for; `us-east-1` where a signature has none. */
  readonly region: string;
}

/** Carries out one operation. */
export type Handler = (call: Call) => Promise<Response>;

/**
 * The object that a request is about.
 *
 * @throws {Failure} NoSuchBucket or NoSuchKey.
 */
export function requireObject({ data, bucket, key, region }: Call): StoredObject {
  data.bucket(bucket, region);
  const object = data.find(bucket, key);
  if (object === undefined) throw s3Failure("NoSuchKey", undefined, { Key: key });
  return object;
}

/** An ETag as it is sent. */
export const quoted = (etag: string): string => `"${etag}"`;

/** Answers an XML document. */
export async function xmlResponse(
  root: string,
  content: XmlContent,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return xmlText(await renderXml(root, content), headers);
}

/** Answers XML that is written already. */
export function xmlText(xml: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(xml, { headers: { "content-type": "application/xml", ...headers } });
}

/** More than the largest Complete, of 10,000 parts with a checksum each. */
const maxDocumentBytes = 4 * 1024 * 1024;

/**
 * Reads a body that is an XML document.
 *
 * @throws {Failure} MalformedXML, and whatever a body that does not verify is called.
 */
export async function receiveXml(request: SandboxRequest, root: string): Promise<XmlElement> {
  const text = await receiveText(request, maxDocumentBytes);
  return await parseXml(text, { maxBytes: maxDocumentBytes, root });
}
