/** PutObject. */
import { computedMd5 } from "../../codecs/checksums.ts";
import { cancelUnread } from "../../runtime/unread.ts";
import { accountOfHeld } from "../../objects/held.ts";
import { digestsOf, lengthOf, openBody } from "../body.ts";
import type { S3Request } from "./handler.ts";
import { checkObjectSize, conditionOf, describe, refuseHeaders } from "./new_object.ts";

/** Stores an object: verified, sent on, recorded. */
export async function putObject(request: S3Request): Promise<Response> {
  const { deps, reach, bucket, key, audit, signal } = request;
  const { headers } = request;
  const bytes = lengthOf(headers);
  checkObjectSize(bytes, deps.maxBodyBytes);
  refuseHeaders(headers);
  const condition = conditionOf(headers);
  const description = describe(headers);
  const declared = digestsOf(request);
  const hasMd5Etag = deps.objects.etagForm(reach, bucket) === "md5";
  const hasMd5 = hasMd5Etag || headers.has("content-md5");
  const digests = hasMd5Etag ? [...declared, computedMd5] : declared;
  const { body, isGivenOut, checksums, md5, records } = await openBody(request, bytes, digests);
  const stored = deps.objects.put(reach, {
    bucket,
    key,
    bytes,
    body,
    isGivenOut,
    records,
    checksums,
    ...(hasMd5 && { md5 }),
    ...description,
    condition,
  }, signal);
  const record = await stored.catch(async (error: unknown) => {
    // Refused before the provider took the stream: an unread body would stall the client for good.
    await cancelUnread(body, error);
    throw error;
  });
  audit.account = accountOfHeld(record) ?? null;
  return new Response(null, {
    headers: {
      etag: `"${record.etag}"`,
      ...record.checksums,
      ...(Object.keys(record.checksums).length > 0 && { "x-amz-checksum-type": "FULL_OBJECT" }),
    },
  });
}
