/**
 * The name under which a provider shows a file: the key's last part, a mark, and `.jsonl`, without
 * which OpenAI refuses a batch input.
 *
 * The mark names the gateway process and the upload. If the process dies, or an answer is lost,
 * between the provider's taking the file and the catalog's knowing it, the file can be known from
 * all others and be deleted.
 */
import { Buffer } from "node:buffer";
import { nativeTenant } from "../catalog/keys.ts";
import { isBucketName } from "../codecs/s3_uri.ts";

/** The beginning of every mark of a gateway process. */
export function markPrefix(instance: string): string {
  return `.bw-${instance}-`;
}

/** Name and tenant of an object. */
export interface ObjectName {
  readonly tenant: string;
  readonly bucket: string;
  readonly key: string;
}

/** Below 255 bytes, the limit of most file systems; providers name none (2026-11). */
const maxNameBytes = 240;
/** Leaves room for the mark, which has some thirty bytes, and for `.jsonl`. */
const maxStemBytes = 180;
/** Limits of S3's keys. */
const maxKeyBytes = 1024;
/** More than `deno task keys` takes. */
const maxTenantBytes = 128;

/**
 * The provider's name for an object; the mark ends in a dot.
 *
 * Where there is room, it ends in whose object it is and what it is called, in Base64: that is how an
 * object is found again whose catalog was lost. Clients never see this name, and a
 * holder of the provider's key sees the bytes anyway.
 */
export function providerName(object: ObjectName, mark: string): string {
  const { tenant, bucket, key } = object;
  const last = key.split("/").findLast((part) => part !== "") ?? "object";
  const stem = last.replace(/\.jsonl$/i, "").replace(/[\p{Cc}"'\\<>|:*?]/gu, "_");
  const short = `${clipped(stem) || "object"}${mark}`;
  const address = Buffer.from([tenant, bucket, key].join(separator)).toString("base64url");
  const whole = `${short}${address}.jsonl`;
  return Buffer.byteLength(whole) <= maxNameBytes ? whole : `${short}jsonl`;
}

/** A provider's name for a file of ours, taken apart. */
export interface ParsedName {
  /** The gateway process that put it. */
  readonly instance: string;
  /** Absent where there was no room for it. */
  readonly object?: ObjectName;
}

/** Takes a provider's name for a file apart; undefined where {@linkcode providerName} did not make it. */
export function parseProviderName(name: string): ParsedName | undefined {
  const parts = /\.bw-([a-z0-9]+)-[a-z0-9]+\.(?:([A-Za-z0-9_-]+)\.)?jsonl$/.exec(name);
  const [, instance, address] = parts ?? [];
  if (instance === undefined) return undefined;
  if (address === undefined) return { instance };
  const text = Buffer.from(address, "base64url").toString();
  const [tenant = "", bucket = "", ...rest] = text.split(separator);
  // The separator may be in a key, and in nothing else.
  const object = { tenant, bucket, key: rest.join(separator) };
  const isOurs = Buffer.from(text).toString("base64url") === address && isPossible(object);
  return isOurs ? { instance, object } : { instance };
}

/**
 * Returns whether an object could have been put under this name: holders of a provider's key, or of
 * the gateway's own store, name files, too.
 */
export function isPossible({ tenant, bucket, key }: ObjectName): boolean {
  const bytes = Buffer.byteLength(key);
  return tenant !== "" && tenant !== nativeTenant && Buffer.byteLength(tenant) <= maxTenantBytes &&
    isBucketName(bucket) && bytes > 0 && bytes <= maxKeyBytes;
}

/** The first characters of a name's stem, as many as there is room for. */
function clipped(stem: string): string {
  let text = "";
  let bytes = 0;
  for (const character of [...stem].slice(0, 60)) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxStemBytes) break;
    text += character;
  }
  return text;
}

const separator = "\0";
