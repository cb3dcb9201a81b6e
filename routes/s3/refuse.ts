/** Why a request is not answered, in S3's words. */
import { s3Error } from "../../codecs/s3_errors.ts";
import { renderS3Error } from "../../codecs/s3_xml.ts";
import { claimedRegion } from "../authenticate.ts";
import type { Api } from "../entry.ts";
import type { Target } from "../target.ts";
import { answerText } from "../text_answer.ts";
import { addressOf } from "./address.ts";

/** Dependencies of refusals. */
export interface RefusalDeps {
  readonly s3Domains: readonly string[];
  /** The region of buckets where the caller names none. */
  readonly region: string;
}

/** Makes what renders failures of requests below a mount. */
export function createRefusal(deps: RefusalDeps, mount: string): Api["refuse"] {
  return async (failure, { request, target, requestId, audit }) => {
    const error = s3Error(failure);
    audit.errorCode = error.code;
    const { status, retryAfterSeconds, fields } = error;
    const size = status === 416 ? fields["ActualObjectSize"] : undefined;
    const headers = {
      "content-type": "application/xml",
      "x-amz-request-id": requestId,
      "x-amz-id-2": requestId,
      ...(retryAfterSeconds !== undefined && { "retry-after": `${retryAfterSeconds}` }),
      ...(size !== undefined && { "content-range": `bytes */${size}` }),
    };
    if (request.method === "HEAD") {
      // Clients learn a bucket's region by an unsigned HeadBucket: S3's refusal has it.
      const tellsRegion = status === 403 && isBucket(deps, mount, target);
      const region = tellsRegion && (claimedRegion(request.headers, target) ?? deps.region);
      const all = { ...headers, ...(region && { "x-amz-bucket-region": region }) };
      return new Response(null, { status, headers: all });
    }
    const { path: resource } = target;
    const xml = await renderS3Error({ ...error, requestId, hostId: requestId, resource });
    return answerText(xml, headers, status);
  };
}

function isBucket({ s3Domains }: RefusalDeps, mount: string, target: Target): boolean {
  try {
    const { bucket, key } = addressOf(target, mount, s3Domains);
    return bucket !== undefined && key === undefined;
  } catch {
    return false; // A path that cannot be read names nothing; the refusal itself says why.
  }
}
