/** The operations on uploads in parts. */
import { createHash } from "node:crypto";
import { childrenNamed, childText, type XmlElement } from "../../codecs/s3_xml.ts";
import { objectHeaders, receiveBody } from "./body.ts";
import { owner } from "./buckets.ts";
import { type Call, type Handler, quoted, receiveXml, xmlResponse } from "./call.ts";
import { checkWrite, parseRange, unquote } from "./conditions.ts";
import { copySource } from "./copy.ts";
import { s3Failure } from "./errors.ts";
import { compareUtf8 } from "./keys.ts";
import { parseMax } from "./listing.ts";
import { createUploads, type NumberedPart, type Part, type Upload } from "./uploads.ts";

const maxParts = 10_000;
const minPartBytes = 5 * 1024 * 1024;
const uploader = { ID: owner.id, DisplayName: owner.displayName };

/** Begins an upload. */
export const createMultipartUpload: Handler = async (call) => {
  const { request, context, data, bucket, key, region } = call;
  data.bucket(bucket, region);
  const upload = createUploads(context).begin(bucket, key, objectHeaders(request.headers));
  const algorithm = request.headers.get("x-amz-checksum-algorithm");
  return await xmlResponse(
    "InitiateMultipartUploadResult",
    { Bucket: bucket, Key: key, UploadId: upload.id },
    algorithm === null ? {} : { "x-amz-checksum-algorithm": algorithm },
  );
};

/** Takes in a part. */
export const uploadPart: Handler = async (call) => {
  const number = partNumber(call);
  const { uploads, upload } = underWay(call);
  const { stream, checksums } = await receiveBody(call.request);
  const part = await uploads.putPart(upload, number, stream, checksums);
  return new Response(null, { headers: { etag: quoted(part.md5), ...part.checksums } });
};

/** Makes a part out of an object, or a range of it. */
export const uploadPartCopy: Handler = async (call) => {
  const number = partNumber(call);
  const { uploads, upload } = underWay(call);
  const { object } = copySource(call);
  const range = call.request.headers.get("x-amz-copy-source-range");
  const slice = parseRange(range, object.bytes);
  if (range !== null && slice === undefined) {
    throw s3Failure(
      "InvalidArgument",
      "The x-amz-copy-source-range value must be of the form bytes=first-last",
    );
  }
  const part = await uploads.putPart(
    upload,
    number,
    call.data.read(object, slice?.first, slice?.last),
  );
  return await xmlResponse("CopyPartResult", {
    LastModified: part.modified,
    ETag: quoted(part.md5),
  });
};

/** Makes the object out of its parts; repeated after success it answers the same. */
export const completeMultipartUpload: Handler = async (call) => {
  const { request, context, data, bucket, key } = call;
  const uploads = createUploads(context);
  const upload = uploads.find(bucket, key, call.query.get("uploadId") ?? "");
  const document = await receiveXml(request, "CompleteMultipartUpload");
  let etag = upload.completed;
  if (etag === undefined) {
    checkWrite(request.headers, data.find(bucket, key));
    const chosen = choose(childrenNamed(document, "Part"), uploads.parts(upload));
    etag = etagOf(chosen);
    await data.put(bucket, key, {
      body: ReadableStream.from(uploads.read(chosen)),
      headers: upload.headers,
      etag,
      parts: chosen.map(({ bytes }) => bytes),
      check: (existing) => {
        uploads.find(bucket, key, upload.id);
        checkWrite(request.headers, existing);
      },
    });
    data.createBucket(bucket, call.region);
    await uploads.end(upload, etag);
  }
  return await xmlResponse("CompleteMultipartUploadResult", {
    Location: `${context.baseUrl()}/${bucket}/${key}`,
    Bucket: bucket,
    Key: key,
    ETag: quoted(etag),
  });
};

/** Drops an upload and its parts. */
export const abortMultipartUpload: Handler = async (call) => {
  const { uploads, upload } = underWay(call);
  await uploads.end(upload);
  return new Response(null, { status: 204 });
};

/** Lists an upload's parts a page at a time. */
export const listParts: Handler = async (call) => {
  const { query, bucket, key } = call;
  const { uploads, upload } = underWay(call);
  const max = parseMax(query, "max-parts");
  const marker = Number(query.get("part-number-marker") ?? 0) || 0;
  const rest = uploads.parts(upload).filter(([number]) => number > marker);
  const page = rest.slice(0, max);
  return await xmlResponse("ListPartsResult", {
    Bucket: bucket,
    Key: key,
    UploadId: upload.id,
    PartNumberMarker: marker,
    NextPartNumberMarker: page.at(-1)?.[0] ?? marker,
    MaxParts: max,
    IsTruncated: max > 0 && rest.length > max,
    Part: page.map(([number, part]) => ({
      PartNumber: number,
      LastModified: part.modified,
      ETag: quoted(part.md5),
      Size: part.bytes,
    })),
    Initiator: uploader,
    Owner: uploader,
    StorageClass: upload.headers["x-amz-storage-class"] ?? "STANDARD",
  });
};

/** Lists a bucket's uploads that are under way, by key and then by time. */
export const listMultipartUploads: Handler = async (call) => {
  const { context, data, query, bucket, region } = call;
  data.bucket(bucket, region);
  if (query.get("delimiter")) {
    throw s3Failure("NotImplemented", "Uploads grouped by a delimiter are not simulated.");
  }
  const prefix = query.get("prefix") ?? "";
  const keyMarker = query.get("key-marker") ?? "";
  const idMarker = query.get("upload-id-marker") ?? "";
  const max = parseMax(query, "max-uploads");
  const all = createUploads(context).list(bucket)
    .filter(({ key }) => key.startsWith(prefix))
    .sort((a, b) => compareUtf8(a.key, b.key) || compareUtf8(a.initiated, b.initiated));
  const seen = all.findIndex(({ key, id }) => key === keyMarker && id === idMarker);
  const rest = seen >= 0
    ? all.slice(seen + 1)
    : all.filter(({ key }) => keyMarker === "" || compareUtf8(key, keyMarker) > 0);
  const page = rest.slice(0, max);
  const truncated = max > 0 && rest.length > max;
  return await xmlResponse("ListMultipartUploadsResult", {
    Bucket: bucket,
    Prefix: prefix,
    KeyMarker: keyMarker,
    UploadIdMarker: idMarker,
    NextKeyMarker: truncated ? page.at(-1)?.key : undefined,
    NextUploadIdMarker: truncated ? page.at(-1)?.id : undefined,
    MaxUploads: max,
    IsTruncated: truncated,
    Upload: page.map((upload) => ({
      Key: upload.key,
      UploadId: upload.id,
      Initiator: uploader,
      Owner: uploader,
      StorageClass: upload.headers["x-amz-storage-class"] ?? "STANDARD",
      Initiated: upload.initiated,
    })),
  });
};

/** The upload that a request is about; one that was completed is there no more. */
function underWay({ context, data, bucket, key, query, region }: Call) {
  data.bucket(bucket, region);
  const uploads = createUploads(context);
  const upload: Upload = uploads.find(bucket, key, query.get("uploadId") ?? "");
  if (upload.completed !== undefined) {
    throw s3Failure("NoSuchUpload", undefined, { UploadId: upload.id });
  }
  return { uploads, upload };
}

function partNumber({ query }: Call): number {
  const number = Number(query.get("partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > maxParts) {
    throw s3Failure(
      "InvalidArgument",
      `Part number must be an integer between 1 and ${maxParts}, inclusive`,
      { ArgumentName: "partNumber" },
    );
  }
  return number;
}

/** The parts that a Complete names, checked against those that came in. */
function choose(named: readonly XmlElement[], stored: readonly NumberedPart[]): Part[] {
  if (named.length === 0 || named.length > maxParts) throw s3Failure("MalformedXML");
  const known = new Map(stored);
  const wanted = named.map((element) => {
    const number = Number(childText(element, "PartNumber"));
    const etag = childText(element, "ETag");
    if (etag === undefined || !Number.isInteger(number)) throw s3Failure("MalformedXML");
    return { element, number, etag };
  });
  if (wanted.some(({ number }, index) => number <= (wanted[index - 1]?.number ?? 0))) {
    throw s3Failure("InvalidPartOrder");
  }
  const chosen = wanted.map(({ element, number, etag }) => {
    const part = known.get(number);
    if (part === undefined || part.md5 !== unquote(etag) || !sameChecksums(element, part)) {
      throw s3Failure("InvalidPart", undefined, { PartNumber: `${number}` });
    }
    return part;
  });
  const small = chosen.findIndex(({ bytes }, index) =>
    bytes < minPartBytes && index < chosen.length - 1
  );
  if (small >= 0) {
    throw s3Failure("EntityTooSmall", undefined, {
      PartNumber: `${wanted[small]?.number}`,
      ProposedSize: `${chosen[small]?.bytes}`,
      MinSizeAllowed: `${minPartBytes}`,
    });
  }
  return chosen;
}

/** Returns whether each checksum that a Complete repeats is the one that came with the part. */
function sameChecksums(element: XmlElement, { checksums }: Part): boolean {
  return element.children.every(({ name, text }) => {
    const algorithm = /^Checksum([A-Z0-9]+)$/.exec(name)?.[1]?.toLowerCase();
    const known = algorithm === undefined ? undefined : checksums[`x-amz-checksum-${algorithm}`];
    return known === undefined || known === text.trim();
  });
}

/** MD5 of the parts' MD5s, and how many there are. */
function etagOf(parts: readonly Part[]): string {
  const hash = createHash("md5");
  for (const { md5 } of parts) hash.update(md5, "hex");
  return `${hash.digest("hex")}-${parts.length}`;
}
