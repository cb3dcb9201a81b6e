/** DeleteObject and DeleteObjects, and the conditions that both take. */
import type { ObjectEntry } from "../../catalog/entries.ts";
import { declaredDigests } from "../../codecs/checksums.ts";
import { Failure } from "../../codecs/failure.ts";
import { parseEntityTags } from "../../codecs/preconditions.ts";
import { s3Error } from "../../codecs/s3_errors.ts";
import {
  childrenNamed,
  childText,
  parseXml,
  renderXml,
  type XmlElement,
} from "../../codecs/s3_xml.ts";
import { checkAddress, checkVersion } from "./address.ts";
import { answerXml } from "./answer.ts";
import { readDocument } from "../body.ts";
import type { S3Request } from "./handler.ts";

/** Deletes an object; 204 also where there is none, as in S3. */
export async function deleteObject(request: S3Request): Promise<Response> {
  const { deps, reach, bucket, key, signal } = request;
  const { headers } = request;
  const ifMatch = parseEntityTags(headers.get("if-match"));
  const sent = (name: string) => ({ name, text: headers.get(name) });
  const accept = deleteConditions(
    sent("x-amz-if-match-last-modified-time"),
    sent("x-amz-if-match-size"),
  );
  await deps.objects.remove(reach, { bucket, key, ...(ifMatch && { ifMatch }), accept }, signal);
  return new Response(null, { status: 204 });
}

/** S3's limit of a request. */
const maxObjects = 1000;
/** A thousand keys of 1,024 bytes, with their elements and escapes. */
const maxBytes = 2 * 1024 * 1024;
/** Objects that are being deleted at one time: each may be a call to the provider. */
const parallel = 8;

/** An object to be deleted. */
interface Entry {
  readonly key: string;
  readonly version: string | undefined;
  readonly ifMatch: readonly string[] | undefined;
  readonly time: SentCondition;
  readonly size: SentCondition;
}

/** Deletes objects by their keys; one that is not there counts as deleted, as in S3. */
export async function deleteObjects(request: S3Request): Promise<Response> {
  checkHasDigest(request.headers);
  const document = await readDocument(request, maxBytes);
  const root = await parseXml(document, { maxBytes, root: "Delete" });
  const entries = childrenNamed(root, "Object").map(readEntry);
  if (entries.length === 0 || entries.length > maxObjects) {
    throw malformed(`A request deletes 1 to ${maxObjects} objects, this one ${entries.length}`);
  }
  const isQuiet = childText(root, "Quiet")?.trim().toLowerCase() === "true";
  const errors = await deleteAll(request, entries);
  const outcomes = entries.map((entry, at) => ({ ...entry, error: errors[at] }));
  const deleted = isQuiet ? [] : outcomes.filter(({ error }) => !error);
  const xml = await renderXml("DeleteResult", {
    Deleted: deleted.map(({ key, version }) => ({ Key: key, VersionId: version })),
    Error: outcomes.flatMap(({ key, version, error }) => {
      if (!error) return [];
      const { code, message } = s3Error(error);
      return [{ Key: key, VersionId: version, Code: code, Message: message }];
    }),
  });
  return answerXml(xml);
}

/** Deletes all, some at a time. An outage fails the whole request. */
async function deleteAll(
  request: S3Request,
  entries: readonly Entry[],
): Promise<(Failure | undefined)[]> {
  const errors: (Failure | undefined)[] = [];
  const broken: unknown[] = [];
  const queue = entries.entries();
  const work = async () => {
    for (const [at, entry] of queue) {
      if (broken.length > 0) return;
      // The outcome of the others does not reach the client.
      request.signal.throwIfAborted();
      try {
        await deleteOne(request, entry);
      } catch (error) {
        if (error instanceof Failure && error.kind !== "internal") errors[at] = error;
        else broken.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  if (broken.length > 0) throw broken[0];
  return errors;
}

async function deleteOne(
  { deps, reach, bucket, signal }: S3Request,
  { key, version, ifMatch, time, size }: Entry,
): Promise<void> {
  checkVersion(version);
  checkAddress({ bucket, key, path: "" });
  const accept = deleteConditions(time, size);
  await deps.objects.remove(reach, { bucket, key, ...(ifMatch && { ifMatch }), accept }, signal);
}

function readEntry(element: XmlElement): Entry {
  const key = childText(element, "Key");
  if (key === undefined || key === "") throw malformed("Each Object needs a Key");
  const sent = (name: string) => ({ name, text: childText(element, name)?.trim() });
  return {
    key,
    version: childText(element, "VersionId"),
    ifMatch: parseEntityTags(childText(element, "ETag") ?? null),
    time: sent("LastModifiedTime"),
    size: sent("Size"),
  };
}

function checkHasDigest(headers: Headers): void {
  const has = declaredDigests(headers).some(({ header }) =>
    header === "content-md5" || header.startsWith("x-amz-checksum-")
  );
  if (has) return;
  throw new Failure(
    "invalid",
    "Missing required header for this request: Content-MD5 or x-amz-checksum-* (crc32, crc32c, " +
      "crc64nvme, sha1 or sha256)",
    { s3: "InvalidRequest" },
  );
}

function malformed(message: string): Failure {
  return new Failure("invalid", message, { s3: "MalformedXML" });
}

/** A condition as it was sent, with the name that it was sent under. */
export interface SentCondition {
  readonly name: string;
  /** Absent where there is no such condition. */
  readonly text: string | null | undefined;
}

/**
 * Makes what refuses an object that is not of this time (a date, compared in whole seconds) and
 * this size (bytes): S3 has these conditions for directory buckets (2026-11), and one that was
 * passed over would delete what the client wants to keep.
 *
 * @returns A function that throws `precondition`.
 * @throws Failure invalid, InvalidArgument, for what is not a date or not a size.
 */
function deleteConditions(
  time: SentCondition,
  size: SentCondition,
): (record: ObjectEntry) => void {
  const modified = time.text ? secondsOf(time.name, time.text) : undefined;
  const wanted = size.text ? bytesOf(size.name, size.text) : undefined;
  return ({ modifiedAt, bytes }) => {
    const isOther = modified !== undefined && modified !== Math.floor(modifiedAt / 1000);
    if (isOther) throw refused(time.name);
    if (wanted !== undefined && wanted !== bytes) throw refused(size.name);
  };
}

function secondsOf(name: string, text: string): number {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return Math.floor(time / 1000);
  throw wrong(name, text, "a date, such as Mon, 23 Nov 2026 17:00:00 GMT");
}

function bytesOf(name: string, text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw wrong(name, text, "a whole number of bytes");
}

function wrong(name: string, text: string, form: string): Failure {
  return new Failure("invalid", `${name} must be ${form}`, {
    s3: "InvalidArgument",
    fields: { ArgumentName: name, ArgumentValue: text },
  });
}

function refused(name: string): Failure {
  return new Failure("precondition", `The object does not meet the condition ${name}`, {
    fields: { Condition: name },
  });
}
