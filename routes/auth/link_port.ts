/**
 * One path means two objects where S3 is at the root of a second port: `/bedrock/files/x` is the
 * bucket `x` on the main one, and the object `files/x` of the bucket `bedrock` on the other. A link
 * is good for the one that it was presigned for.
 */
import { Failure } from "../../codecs/failure.ts";
import { linkForm } from "../../codecs/presigned_headers.ts";
import { parseRawQuery } from "../../codecs/uri.ts";
import type { Ports } from "../requested_service.ts";
import type { S3Address } from "../s3/address.ts";
import type { Target } from "../target.ts";
import { refuse } from "./refusals.ts";

/** Where a request came in, and what else listens. */
interface Listeners {
  /** What S3 is mounted at where the request came in; empty for the root. */
  readonly mount: string;
  /** What it is mounted at on the main port. */
  readonly otherMount: string;
  readonly ports: Ports;
}

/**
 * Throws for a path of the root's listener that is one of the main listener's, and for a presigned
 * link that names the other listener.
 */
export function checkPort(
  target: Target,
  address: S3Address,
  { mount, otherMount, ports }: Listeners,
): void {
  if (mount === "") {
    const { path } = address;
    if (path !== otherMount && !path.startsWith(`${otherMount}/`)) return;
    throw new Failure(
      "invalid",
      `On this port S3 is at the root: leave ${otherMount} out of the endpoint URL. An object ` +
        `whose path begins with ${otherMount} is reached on the port ${ports.main}, below that path`,
      { s3: "InvalidURI" },
    );
  }
  if (target.query === "") return;
  const names = new Set(parseRawQuery(target.query).map(([name]) => name.toLowerCase()));
  if (!linkForm(names).isPresigned) return;
  if (target.host.endsWith(`:${ports.s3}`) && ports.s3 !== ports.main) {
    throw refuse(
      "forbidden",
      `The link was presigned for the port ${ports.s3}, where its path names another object. ` +
        "Use it there",
    );
  }
  // SigV2 covers no host, and of the list of buckets the whole path.
  if (address.bucket !== undefined || !names.has("awsaccesskeyid")) return;
  throw refuse(
    "forbidden",
    "A link of the older kind to the list of buckets names an object on the gateway's other port. " +
      "Presign it with SigV4",
  );
}
