/**
 * What a forwarded request may say when its access key is limited to certain buckets. A header or a
 * body can do what a refused operation does, or name another bucket: both are looked at here.
 */
import { allowsBucket } from "../../access/policy.ts";
import { linkForm } from "../../codecs/presigned_headers.ts";
import { isBucketName } from "../../codecs/s3_uri.ts";
import { parseRawQuery } from "../../codecs/uri.ts";
import { childText, parseXml, type XmlElement } from "../../codecs/xml_reader.ts";
import { refuse } from "../auth/refusals.ts";
import { checkBucket } from "../authorize.ts";
import type { Principal } from "../context.ts";

/** `x-amz-*` headers whose whole effect is on the object and its own bucket (S3's API, 2026-11). */
const withinBucket: ReadonlySet<string> = new Set([
  "x-amz-content-sha256",
  "x-amz-date",
  "x-amz-decoded-content-length",
  "x-amz-expected-bucket-owner",
  "x-amz-max-parts",
  "x-amz-metadata-directive",
  "x-amz-mfa",
  "x-amz-mp-object-size",
  "x-amz-object-annotation-directive",
  "x-amz-object-attributes",
  "x-amz-optional-object-attributes",
  "x-amz-part-number-marker",
  "x-amz-request-payer",
  "x-amz-sdk-checksum-algorithm",
  "x-amz-security-token",
  "x-amz-source-expected-bucket-owner",
  "x-amz-storage-class",
  "x-amz-tagging",
  "x-amz-tagging-directive",
  "x-amz-te",
  "x-amz-trailer",
  "x-amz-user-agent",
  "x-amz-website-redirect-location",
  "x-amz-write-offset-bytes",
]);

/** Families of such headers. */
const familyWithinBucket =
  /^x-amz-(?:meta|checksum|copy-source|if-match|server-side-encryption)(?:-|$)/;

/** Canned ACLs that give nothing to anyone but the bucket's owner; tools send them unasked. */
const harmlessAcls: ReadonlySet<string> = new Set(["private", "bucket-owner-full-control"]);

/**
 * Throws a refusal where a header, or a parameter that stands for one, does what the key's refused
 * operations would do (ACLs, object locks, ownership), or is not known here.
 */
export function checkLimitedHeaders({ buckets }: Principal, headers: Headers, query: string): void {
  if (!buckets) return;
  const pairs = query === "" ? [] : parseRawQuery(query);
  const given = pairs.map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  const { isSignature } = linkForm(new Set(given.map(([name]) => name)));
  headers.forEach((value, name) => void given.push([name, value]));
  for (const [name, value] of given) {
    if (!name.startsWith("x-amz-") || isSignature(name)) continue;
    if (withinBucket.has(name) || familyWithinBucket.test(name)) continue;
    if (name === "x-amz-acl" && harmlessAcls.has(value)) continue;
    throw refuse(
      "forbidden",
      `An access key for certain buckets (${buckets.join(", ")}) may not send ${
        name.slice(0, 64)
      }: it ` +
        "changes who may use what, as an operation would that the key may not use. Leave it out",
    );
  }
}

const maxRestoreBytes = 1024 * 1024;

/**
 * Throws a refusal where the body of a RestoreObject writes to a bucket that is not the key's, or
 * gives rights to others.
 */
export async function checkRestore(principal: Principal, body: Uint8Array): Promise<void> {
  if (!principal.buckets || body.length === 0) return;
  const restore = await parseXml(body, { maxBytes: maxRestoreBytes, maxDepth: 16 });
  for (const place of elementsNamed(restore, "S3")) {
    const bucket = childText(place, "BucketName")?.trim() ?? "";
    if (!isBucketName(bucket) || !allowsBucket(principal, bucket)) {
      checkBucket(principal, bucket);
      throw refuse("forbidden", "The OutputLocation must name a bucket of the access key plainly");
    }
    const grants = place.children.some(({ name }) => name === "AccessControlList");
    const acl = childText(place, "CannedACL")?.trim() ?? "private";
    if (!grants && harmlessAcls.has(acl)) continue;
    throw refuse(
      "forbidden",
      "An access key for certain buckets may not set ACLs. Leave AccessControlList and CannedACL out",
    );
  }
}

function elementsNamed(element: XmlElement, name: string): XmlElement[] {
  const below = element.children.flatMap((child) => elementsNamed(child, name));
  return element.name === name ? [element, ...below] : below;
}
