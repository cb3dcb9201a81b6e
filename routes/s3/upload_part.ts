/** UploadPart and UploadPartCopy. */
import type { UploadEntry } from "../../catalog/entries.ts";
import { createDigestTap, type DeclaredDigest } from "../../codecs/checksums.ts";
import { Failure } from "../../codecs/failure.ts";
import { algorithmName, computedDigest } from "../../codecs/object_checksum.ts";
import { renderXml, s3Time } from "../../codecs/s3_xml.ts";
import { verifiedStream } from "../../codecs/verified_stream.ts";
import type { ByteRange } from "../../providers/provider.ts";
import { checkBucket } from "../authorize.ts";
import { digestsOf, emptyStream, lengthOf, openBody } from "../body.ts";
import { answerXml, checksumElements } from "./answer.ts";
import { checkCopySource, copySourceOf } from "./copy_source.ts";
import type { S3Request } from "./handler.ts";
import { partNumberOf, uploadNameOf } from "./multipart_upload.ts";
import { checkPartSize } from "./new_object.ts";

/** Keeps a part of an upload: streamed to disk, verified, recorded. */
export async function uploadPart(request: S3Request): Promise<Response> {
  const { deps, reach } = request;
  const { headers } = request;
  const number = partNumberOf(request);
  const bytes = lengthOf(headers);
  checkPartSize(bytes, deps.maxBodyBytes);
  const upload = await deps.objects.multipart.open(reach, uploadNameOf(request));
  const digests = partDigests(digestsOf(request), upload.record);
  const { body, checksums } = await openBody(request, bytes, digests);
  const part = await deps.objects.multipart.putPart(upload, {
    number,
    bytes,
    body: body instanceof Uint8Array ? ReadableStream.from([body]) : body,
    checksums,
  });
  return new Response(null, { headers: { etag: `"${part.md5}"`, ...part.checksums } });
}

/**
 * Digests that the part must have, and the upload's checksum where the client sends none for the
 * part.
 */
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

const rangeHeader = "x-amz-copy-source-range";

/** Keeps an object's bytes, or a range of them, as a part: read from the provider. */
export async function uploadPartCopy(request: S3Request): Promise<Response> {
  const { deps, reach, signal } = request;
  const { headers } = request;
  const number = partNumberOf(request);
  const source = copySourceOf(headers);
  checkBucket(request.principal, source.bucket);
  await deps.objects.buckets.check(reach, source.bucket);
  const upload = await deps.objects.multipart.open(reach, uploadNameOf(request));
  const found = await deps.objects.find(reach, source, signal);
  if (!found) {
    throw new Failure("not-found", "The source of the copy does not exist", {
      fields: { Key: source.key },
    });
  }
  checkCopySource(reach, headers, found.record);
  const range = rangeOf(headers.get(rangeHeader), found.record.bytes);
  const bytes = range ? range.last - range.first + 1 : found.record.bytes;
  checkPartSize(bytes, deps.maxBodyBytes);
  const computed = upload.record.checksum && computedDigest(upload.record.checksum.header);
  const tap = await createDigestTap(computed ? [computed] : []);
  const body = bytes === 0 ? emptyStream() : await deps.objects.read(reach, found, range, signal);
  const { stream, checksums } = verifiedStream(body, { length: bytes, tap });
  const part = await deps.objects.multipart.putPart(upload, {
    number,
    bytes,
    body: stream,
    checksums,
  });
  return answerXml(
    await renderXml("CopyPartResult", {
      LastModified: s3Time(part.modifiedAt),
      ETag: `"${part.md5}"`,
      ...checksumElements(part),
      ChecksumType: undefined,
    }),
  );
}

/** Unlike Range it has both ends, and must be within the source. */
function rangeOf(text: string | null, size: number): Required<ByteRange> | undefined {
  if (text === null) return undefined;
  const [, from, to] = /^bytes=([0-9]{1,15})-([0-9]{1,15})$/.exec(text) ?? [];
  const range = { first: Number(from), last: Number(to) };
  if (from === undefined || to === undefined || range.first > range.last) {
    throw new Failure("invalid", `${rangeHeader} must be of the form bytes=first-last`, {
      s3: "InvalidArgument",
      fields: { ArgumentName: rangeHeader, ArgumentValue: text },
    });
  }
  if (range.last < size) return range;
  throw new Failure(
    "invalid",
    `${rangeHeader} is outside of the source, which has ${size} bytes`,
    { s3: "InvalidRange", fields: { ActualObjectSize: `${size}`, RangeRequested: text } },
  );
}
