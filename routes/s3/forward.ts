/**
 * S3 requests that are forwarded: what the upstream may be asked on behalf of whom. All of them are
 * signed with the gateway's own credentials there, so the upstream cannot know one principal from
 * another: what a principal may not do must be stopped here.
 */
import { allowsBucket } from "../../access/policy.ts";
import { isAwsChunked } from "../../codecs/aws_chunked.ts";
import { bounds } from "../../runtime/bounds.ts";
import { Failure } from "../../codecs/failure.ts";
import { climbs, isBucketName } from "../../codecs/s3_uri.ts";
import { decodeKey, parseRawQuery } from "../../codecs/uri.ts";
import type { Objects } from "../../objects/objects.ts";
import type { ForwardingProvider, ForwardRequest } from "../../providers/provider.ts";
import { refuse } from "../auth/refusals.ts";
import { checkBucket, isRead } from "../authorize.ts";
import type { Context, Principal } from "../context.ts";
import { startDeadline } from "../../runtime/deadline.ts";
import { readControl } from "../body.ts";
import type { S3Address } from "./address.ts";
import { copiedBytes } from "./copied_bytes.ts";
import { copySourceBucket } from "./copy_source.ts";
import { filterBuckets } from "./list_buckets.ts";
import { checkLimitedHeaders, checkRestore } from "./limited.ts";
import { checkObjectSize } from "./new_object.ts";
import { isAmbiguous } from "./operation.ts";

/** Its answer would be temporary credentials of the gateway's own. */
const handsOutCredentials = "CreateSession";

/**
 * Operations that a principal of certain buckets may use: no configuration that reaches into
 * others.
 */
const writesWithinBucket: ReadonlySet<string> = new Set([
  "AbortMultipartUpload",
  "CompleteMultipartUpload",
  "CopyObject",
  "CreateBucket",
  "CreateMultipartUpload",
  "DeleteBucket",
  "DeleteObject",
  "DeleteObjects",
  "DeleteObjectTagging",
  "PutObject",
  "PutObjectTagging",
  "RestoreObject",
  "UploadPart",
  "UploadPartCopy",
]);

/** Operations whose bodies are data of any length, which is passed on untouched. */
const dataOperations: ReadonlySet<string | undefined> = new Set(["PutObject", "UploadPart"]);

/** Limits of forwarding. */
interface ForwardDeps {
  readonly maxBodyBytes: number;
  readonly idleMilliseconds: number;
  readonly objects: Pick<Objects, "quota">;
}

/** Forwards a request, where its principal may send it. */
export async function forwardS3(
  deps: ForwardDeps,
  provider: ForwardingProvider,
  operation: string | undefined,
  context: Context,
  address: S3Address,
): Promise<Response> {
  const { request, target, principal, signal, audit } = context;
  const { maxBodyBytes, idleMilliseconds } = deps;
  const { method } = request;
  const { query } = target;
  checkChoice(principal, operation, query);
  if (principal.buckets) checkWithin(principal.buckets, operation, address);
  const headers = withLinkDigest(request.headers, principal);
  const sources = copySources(headers, query);
  for (const source of sources) checkSource(principal, source);
  checkLimitedHeaders(principal, headers, query);
  const length = declaredLength(headers);
  if (length !== undefined) checkObjectSize(length, maxBodyBytes);
  const isData = request.body !== null && dataOperations.has(operation);
  if (isData && length === undefined) {
    throw new Failure("invalid", "The body has no Content-Length. Send its length in bytes", {
      s3: "MissingContentLength",
    });
  }
  const body = isData ? request.body : await controlBody(deps, operation, context);
  const { region, chunkSigning, signedHeaders } = principal;
  const forward = (signal: AbortSignal) =>
    provider.forward({
      service: "s3",
      method,
      path: address.path,
      query,
      headers,
      body,
      region,
      signedHeaders,
      ...(chunkSigning && { chunkSigning }),
    }, signal);
  const sent = (signal: AbortSignal) =>
    isData && idleMilliseconds > 0
      ? inTime(signal, timeFor(length ?? 0, idleMilliseconds), forward)
      : forward(signal);
  const copied = principal.limits?.maxBytes === undefined
    ? undefined
    : await copiedBytes(provider, { operation, headers, source: sources[0], region }, signal);
  const made = isData ? length ?? 0 : copied;
  const response = made === undefined
    ? await sent(signal)
    : await withBytesCounted(deps, context, made, sent);
  // The body goes through untouched, or it would lose its length and speed: it is not counted.
  if (body && response.ok) audit.bytesIn = Number(headers.get("content-length")) || (length ?? 0);
  if (operation !== "ListBuckets" || !principal.buckets) return response;
  return await filterBuckets(response, (bucket) => allowsBucket(principal, bucket));
}

/**
 * Sends a put on with its bytes reserved, which count once the upstream has acknowledged it. That is
 * waited for also where the client has gone: its bytes may be stored.
 */
async function withBytesCounted(
  { objects: { quota } }: ForwardDeps,
  { principal: { accessKeyId, limits }, signal }: Context,
  bytes: number,
  send: (signal: AbortSignal) => Promise<Response>,
): Promise<Response> {
  if (accessKeyId === null || !limits) return await send(signal);
  const put = await quota.reserve({ accessKeyId, limits }, bytes);
  if (!put) return await send(signal);
  let isStored = false;
  try {
    signal.throwIfAborted();
    // A body that its client does not send to its end breaks by itself.
    const response = await inTime(new AbortController().signal, bounds.bodyMilliseconds, send);
    isStored = response.ok;
    return response;
  } finally {
    await (isStored ? quota.count(put) : quota.giveBack(put));
  }
}

/**
 * The body of a control call, read before it is sent on: one that stands still holds neither a place
 * nor the upstream, and what was checked is what is sent.
 */
async function controlBody(
  deps: ForwardDeps,
  operation: string | undefined,
  { request, principal, audit }: Context,
): Promise<ForwardRequest["body"]> {
  if (request.body === null) return null;
  const bytes = await readControl(request, audit, deps, bounds.forwardedControlBytes);
  if (operation === "RestoreObject" && principal.buckets) await checkRestore(principal, bytes);
  return bytes;
}

/** Returns how long a body that is passed on untouched may take, by its declared length. */
function timeFor(bytes: number, idleMilliseconds: number): number {
  const needed = idleMilliseconds + bytes / bounds.untouchedBytesPerSecond * 1000;
  return Math.min(needed, bounds.bodyMilliseconds);
}

/**
 * Does a work that must be over in time. A body that is passed on untouched cannot be watched, so it
 * is given the time that its length takes at a rate which every real client beats.
 */
async function inTime<Result>(
  signal: AbortSignal,
  milliseconds: number,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const deadline = startDeadline(
    signal,
    milliseconds,
    () =>
      new Failure("invalid", "The body came too slowly. Send it again, and faster", {
        s3: "RequestTimeout",
      }),
  );
  try {
    return await work(deadline.signal);
  } finally {
    deadline.clear();
  }
}

/** Throws where it is not certain that the upstream carries out what was allowed here. */
function checkChoice(
  { buckets, readOnly }: Principal,
  operation: string | undefined,
  query: string,
): void {
  const parameters = new Set(parseRawQuery(query).map(([name]) => name));
  const has = (name: string) => parameters.has(name);
  if (operation === handsOutCredentials || has("session")) {
    throw new Failure(
      "unsupported",
      `${handsOutCredentials} is not offered: sign each request by itself`,
    );
  }
  if ((!buckets && !readOnly) || !isAmbiguous(has)) return;
  throw new Failure(
    "invalid",
    "The query names more than one operation. Send one of them",
    { s3: "InvalidRequest" },
  );
}

/** The headers with the digest that a presigned link gives its body: the link's own is left out. */
function withLinkDigest(headers: Headers, { bodySha256 }: Principal): Headers {
  if (bodySha256 === undefined || headers.has("x-amz-content-sha256")) return headers;
  const all = new Headers(headers);
  all.set("x-amz-content-sha256", bodySha256.toLowerCase());
  return all;
}

/** Throws a refusal where a copy's source is in a bucket that the principal may not use. */
function checkSource(principal: Principal, source: string): void {
  if (!principal.buckets) return;
  const bucket = copySourceBucket(source);
  // An ARN of an access point, or what cannot be read, may fit a pattern and name any bucket.
  if (bucket !== undefined && isBucketName(bucket)) return checkBucket(principal, bucket);
  throw refuse(
    "forbidden",
    `An access key for certain buckets (${principal.buckets.join(", ")}) may copy from a bucket ` +
      "that x-amz-copy-source names plainly: bucket/key",
  );
}

function checkWithin(
  buckets: readonly string[],
  operation: string | undefined,
  { bucket, path }: S3Address,
): void {
  if (operation === undefined || !isRead(operation) && !writesWithinBucket.has(operation)) {
    throw refuse(
      "forbidden",
      `An access key for certain buckets (${buckets.join(", ")}) may use their objects, and not ` +
        `change how the buckets are set up${operation === undefined ? "" : `: ${operation}`}`,
    );
  }
  // What an upstream, or something before it, could read as another bucket.
  if (bucket === undefined && path === "/") return;
  const [, raw = "", ...key] = path.split("/");
  const isPlain = !key.some((part) => climbs(decodeKey(part) ?? part));
  if (bucket !== undefined && raw === bucket && isBucketName(bucket) && isPlain) return;
  throw new Failure(
    "invalid",
    "The path could be read as that of another bucket. Send the bucket's name plainly, and keys " +
      "without the segments . and ..",
    { s3: "InvalidURI" },
  );
}

/** Returns where a copy's source may stand: in a header, or in the query of a presigned link. */
function copySources(headers: Headers, query: string): string[] {
  const header = headers.get("x-amz-copy-source");
  const parameters = query === "" ? [] : parseRawQuery(query)
    .filter(([name]) => name.toLowerCase() === "x-amz-copy-source").map(([, value]) => value);
  return header === null ? parameters : [header, ...parameters];
}

/**
 * Bytes that the framing of chunks may add to a body: a line for every 8 KiB at the least, and
 * trailers.
 */
const framingRoom = (bytes: number) => bytes / 32 + 64 * 1024;

/**
 * The object's length as declared. Only a body in chunks has a decoded length, and one that its
 * content-length contradicts is not believed.
 */
function declaredLength(headers: Headers): number | undefined {
  const sent = wholeNumber(headers.get("content-length"));
  const decoded = isAwsChunked(headers)
    ? wholeNumber(headers.get("x-amz-decoded-content-length"))
    : undefined;
  if (decoded === undefined || sent === undefined) return decoded ?? sent;
  return sent > decoded + framingRoom(decoded) ? sent : decoded;
}

function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}
