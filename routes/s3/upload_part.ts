/** UploadPart. */
import type { UploadEntry } from "../../catalog/entries.ts";
import type { DeclaredDigest } from "../../codecs/checksums.ts";
import { Failure } from "../../codecs/failure.ts";
import { algorithmName, computedDigest } from "../../codecs/object_checksum.ts";
import { digestsOf } from "./decoded_body.ts";
import type { S3Request } from "./handler.ts";
import { lengthOf, openBody } from "./upload_body.ts";
import { partNumberOf, uploadNameOf } from "./upload_name.ts";

/** S3's limit of a part. */
const maxPartBytes = 5 * 2 ** 30;

/** Keeps a part of an upload: streamed to disk, verified, recorded. */
export async function uploadPart(request: S3Request): Promise<Response> {
  const { deps, reach } = request;
  const { headers } = request;
  const number = partNumberOf(request);
  const bytes = lengthOf(headers);
  checkPartSize(bytes, deps.maxBodyBytes);
  const upload = await deps.objects.multipart.open(reach, uploadNameOf(request));
  const digests = partDigests(digestsOf(request), upload.record);
  const { stream, checksums } = await openBody(request, bytes, digests);
  const part = await deps.objects.multipart.putPart(upload, {
    number,
    bytes,
    body: stream,
    checksums,
  });
  return new Response(null, { headers: { etag: `"${part.md5}"`, ...part.checksums } });
}

/** Throws `too-large` for a part that S3, or this gateway, takes from nobody. */
export function checkPartSize(bytes: number, maxBodyBytes: number): void {
  const limit = Math.min(maxPartBytes, maxBodyBytes);
  if (bytes <= limit) return;
  throw new Failure("too-large", `The part has ${bytes} bytes, and a part may have ${limit}`, {
    fields: { ProposedSize: `${bytes}`, MaxSizeAllowed: `${limit}` },
  });
}

/** What the part must have, and the upload's checksum where the client tells none of the part. */
function partDigests(declared: DeclaredDigest[], { checksum }: UploadEntry): DeclaredDigest[] {
  if (!checksum) return declared;
  const sent = declared.find(({ header }) => header.startsWith("x-amz-checksum-"));
  if (sent?.header === checksum.header) return declared;
  if (sent) {
    throw new Failure(
      "invalid",
      `The upload's checksum is ${algorithmName(checksum.header)}, and the part's ` +
        `${algorithmName(sent.header)}. Send the same, or none`,
      { s3: "InvalidRequest" },
    );
  }
  const computed = computedDigest(checksum.header);
  return computed ? [...declared, computed] : declared;
}
