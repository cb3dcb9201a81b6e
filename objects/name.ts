/**
 * The name under which a provider shows a file: the key's last part, a mark, and `.jsonl`, without
 * which OpenAI refuses a batch input.
 *
 * The mark names the gateway process and the upload. If the process dies, or an answer is lost,
 * between the provider's taking the file and the catalog's knowing it, the file can be told from
 * everybody else's and be deleted.
 */
import { Buffer } from "node:buffer";

/** What every mark of a gateway process begins with. */
export function markPrefix(instance: string): string {
  return `.bw-${instance}-`;
}

/** What an object is called, and by whom. */
export interface ObjectName {
  readonly tenant: string;
  readonly bucket: string;
  readonly key: string;
}

/** Below 255 bytes, the limit of most file systems; providers name none (2026-11). */
const maxNameBytes = 240;

/**
 * The provider's name for an object; the mark ends in a dot.
 *
 * Where there is room, it ends in whose object it is and what it is called, in Base64: that is how an
 * object is found again whose catalog was lost. The gateway shows this name to nobody, and whoever
 * has the provider's key sees the bytes themselves.
 */
export function providerName(object: ObjectName, mark: string): string {
  const { tenant, bucket, key } = object;
  const last = key.split("/").findLast((part) => part !== "") ?? "object";
  const stem = last.replace(/\.jsonl$/i, "").replace(/[\p{Cc}"'\\<>|:*?]/gu, "_");
  const short = `${[...stem].slice(0, 60).join("") || "object"}${mark}`;
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
  const [tenant, bucket, key, ...rest] = Buffer.from(address, "base64url").toString()
    .split(separator);
  if (!tenant || !bucket || !key) return { instance };
  // The separator may be in a key, and in nothing else.
  return { instance, object: { tenant, bucket, key: [key, ...rest].join(separator) } };
}

const separator = "\0";
