/** DeleteObjects: up to a thousand at once, each with an outcome of its own. */
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
import { checkAddress } from "./address.ts";
import { deleteConditions, type SentCondition } from "./delete_conditions.ts";
import { answerXml } from "./answer.ts";
import { readDocument } from "./document.ts";
import type { S3Request } from "./handler.ts";
import { checkVersion } from "./version.ts";

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

/** Deletes all, some at a time. What failed for a reason that is nobody's fault fails the request. */
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
      // Nobody is told what became of the others.
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
