/** Bucket, key and version of a request, in path style and in virtual-host style. */
import { Failure } from "../../codecs/failure.ts";
import { isBucketName, isLongerThan } from "../../codecs/s3_uri.ts";
import { decodeKey } from "../../codecs/uri.ts";
import { hostname, type Target } from "../target.ts";

/** Bucket and key of an S3 request. */
export interface S3Address {
  readonly bucket: string | undefined;
  /** Decoded once, otherwise byte for byte; undefined for the bucket itself. */
  readonly key: string | undefined;
  /** In path style below the mount, undecoded: what is forwarded. */
  readonly path: string;
}

const maxKeyBytes = 1024;

/**
 * Finds bucket and key.
 *
 * @param mount What S3 is mounted at: `/bedrock/files`, or empty for the root.
 * @param domains Hosts below which a label is a bucket: `{bucket}.localhost`.
 */
export function addressOf(target: Target, mount: string, domains: readonly string[]): S3Address {
  const rest = target.path.slice(mount.length);
  const host = hostname(target.host);
  const domain = domains.find((one) => host.endsWith(`.${one}`));
  const path = domain === undefined
    ? rest === "" ? "/" : rest
    : `/${host.slice(0, -domain.length - 1)}${rest === "/" ? "" : rest}`;
  const slash = path.indexOf("/", 1);
  const bucket = path.slice(1, slash < 0 ? undefined : slash);
  const key = slash < 0 ? "" : path.slice(slash + 1);
  return { bucket: decoded(bucket), key: decoded(key), path };
}

/** Refuses a bucket or key that S3 would refuse too. */
export function checkAddress({ bucket, key }: S3Address): void {
  if (bucket !== undefined && !isBucketName(bucket)) {
    throw new Failure(
      "invalid",
      "The bucket's name is not valid. It has 3 to 63 lower-case letters, digits, dots and hyphens",
      { s3: "InvalidBucketName", fields: { BucketName: bucket } },
    );
  }
  if (key !== undefined && isLongerThan(key, maxKeyBytes)) {
    throw new Failure("invalid", `The key is longer than ${maxKeyBytes} bytes of UTF-8`, {
      s3: "KeyTooLongError",
    });
  }
}

function decoded(raw: string): string | undefined {
  if (raw === "") return undefined;
  const text = decodeKey(raw);
  if (text !== undefined) return text;
  throw new Failure(
    "invalid",
    "The path has a broken percent-escape, or its bytes are not UTF-8. Encode the key's UTF-8 bytes",
    { s3: "InvalidURI" },
  );
}

/**
 * Refuses a version that no object has: answering with another, or deleting it, would be worse than
 * an error. `null` is the version of every object in a bucket without versions.
 */
export function checkVersion(version: string | undefined): void {
  if (version === undefined || version === "" || version === "null") return;
  throw new Failure(
    "not-found",
    "The version does not exist: buckets have no versions here. Leave versionId out",
    { s3: "NoSuchVersion", fields: { VersionId: version } },
  );
}
