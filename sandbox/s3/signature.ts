/** Who signed a request to the simulated AWS: SigV4 in header and query, SigV2 in the query. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { BedrockException } from "../../codecs/bedrock_codes.ts";
import { Failure } from "../../codecs/failure.ts";
import {
  type Authorization,
  parseAuthorization,
  parsePresigned,
  parseTimestamp,
  requestTimestamp,
  verifySignature,
} from "../../codecs/sigv4.ts";
import { parseRawQuery } from "../../codecs/uri.ts";
import { sandboxKeys, type SandboxRequest } from "../context.ts";
import { s3Failure } from "./errors.ts";

/** A caller whose signature was found right. */
export interface Caller {
  /** The region that it signed for; undefined for SigV2, which has none. */
  readonly region: string | undefined;
}

const maxSkewMilliseconds = 15 * 60 * 1000;
const maxExpirySeconds = 604_800;

/**
 * Verifies a request to S3.
 *
 * @throws {Failure} AccessDenied, InvalidAccessKeyId, SignatureDoesNotMatch, RequestTimeTooSkewed,
 * AuthorizationHeaderMalformed, AuthorizationQueryParametersError or InvalidRequest.
 */
export function authenticateS3(request: SandboxRequest, now: Date): Caller {
  const query = parseRawQuery(request.query);
  const has = (wanted: string) => query.some(([name]) => name === wanted);
  const header = request.headers.get("authorization");
  if (header !== null) {
    const claimed = parseAuthorization(header);
    if (claimed === undefined) throw s3Failure("AuthorizationHeaderMalformed");
    const payloadHash = request.headers.get("x-amz-content-sha256");
    if (payloadHash === null) {
      throw s3Failure(
        "InvalidRequest",
        "Missing required header for this request: x-amz-content-sha256",
      );
    }
    checkSkew(request.headers, now);
    return verifyS3(request, claimed, payloadHash, "AuthorizationHeaderMalformed");
  }
  if (has("X-Amz-Algorithm") || has("X-Amz-Signature")) {
    const claimed = parsePresigned(query);
    const { expiresSeconds = 0, timestamp = "" } = claimed ?? {};
    if (claimed === undefined || expiresSeconds < 1 || expiresSeconds > maxExpirySeconds) {
      throw s3Failure("AuthorizationQueryParametersError");
    }
    checkExpiry((parseTimestamp(timestamp)?.getTime() ?? 0) / 1000 + expiresSeconds, now);
    const payloadHash = query.find(([name]) => name === "X-Amz-Content-Sha256")?.[1] ??
      request.headers.get("x-amz-content-sha256") ?? "UNSIGNED-PAYLOAD";
    return verifyS3(request, claimed, payloadHash, "AuthorizationQueryParametersError");
  }
  if (has("AWSAccessKeyId")) return verifyV2(request, new Map(query), now);
  throw s3Failure("AccessDenied");
}

function verifyS3(
  request: SandboxRequest,
  claimed: Authorization,
  payloadHash: string,
  malformed: "AuthorizationHeaderMalformed" | "AuthorizationQueryParametersError",
): Caller {
  if (claimed.service !== "s3") throw s3Failure(malformed);
  if (claimed.accessKeyId !== sandboxKeys.awsAccessKeyId) throw s3Failure("InvalidAccessKeyId");
  if (!verify(request, claimed, payloadHash)) throw s3Failure("SignatureDoesNotMatch");
  return { region: claimed.region };
}

/**
 * Verifies a request to Bedrock.
 *
 * @param payloadHash Hex SHA-256 of the body: clients of Bedrock send no header with it.
 * @throws {Failure} With the exceptions of AWS's front end.
 */
export function authenticateBedrock(
  request: SandboxRequest,
  payloadHash: string,
  now: Date,
  service = "bedrock",
): { readonly region: string } {
  const denied = (bedrock: BedrockException, message: string) =>
    new Failure("denied", message, { bedrock });
  const header = request.headers.get("authorization");
  if (header === null) {
    throw denied("MissingAuthenticationTokenException", "Missing Authentication Token");
  }
  const claimed = parseAuthorization(header);
  if (claimed === undefined || claimed.service !== service) {
    throw denied(
      "InvalidSignatureException",
      `The authorization header is malformed; the credential scope must name the service ${service}.`,
    );
  }
  if (claimed.accessKeyId !== sandboxKeys.awsAccessKeyId) {
    throw denied(
      "UnrecognizedClientException",
      "The security token included in the request is invalid.",
    );
  }
  if (isSkewed(request.headers, now)) {
    throw denied("InvalidSignatureException", "Signature expired: its time is too far from ours.");
  }
  if (!verify(request, claimed, payloadHash)) {
    throw denied(
      "InvalidSignatureException",
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
    );
  }
  return { region: claimed.region };
}

function verify(request: SandboxRequest, claimed: Authorization, payloadHash: string): boolean {
  const mark = request.target.indexOf("?");
  const pieces = {
    method: request.method,
    path: mark < 0 ? request.target : request.target.slice(0, mark),
    query: request.query,
    headers: request.headers,
    payloadHash,
  };
  return verifySignature(pieces, claimed, sandboxKeys.awsSecretAccessKey);
}

function isSkewed(headers: Headers, now: Date): boolean {
  const signed = parseTimestamp(requestTimestamp(headers) ?? "");
  return signed === undefined || Math.abs(now.getTime() - signed.getTime()) > maxSkewMilliseconds;
}

function checkSkew(headers: Headers, now: Date): void {
  if (isSkewed(headers, now)) throw s3Failure("RequestTimeTooSkewed");
}

function checkExpiry(epochSeconds: number, now: Date): void {
  if (now.getTime() / 1000 > epochSeconds) throw s3Failure("AccessDenied", "Request has expired");
}

/** Query names that are part of what SigV2 signs, in byte order of their names when sorted. */
const signedV2 = new Set([
  "delete",
  "location",
  "partNumber",
  "response-cache-control",
  "response-content-disposition",
  "response-content-encoding",
  "response-content-language",
  "response-content-type",
  "response-expires",
  "uploadId",
  "uploads",
  "versionId",
]);

/** Verifies a URL that boto3 and the aws CLI presigned by default: SigV2, without the mount's path. */
function verifyV2(
  { method, path, headers }: SandboxRequest,
  query: ReadonlyMap<string, string>,
  now: Date,
): Caller {
  if (query.get("AWSAccessKeyId") !== sandboxKeys.awsAccessKeyId) {
    throw s3Failure("InvalidAccessKeyId");
  }
  const expires = query.get("Expires") ?? "";
  if (!/^\d{1,12}$/.test(expires)) throw s3Failure("AccessDenied", "Invalid date");
  checkExpiry(Number(expires), now);
  const amz = [...headers]
    .filter(([name]) => name.startsWith("x-amz-"))
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, value]) => `${name}:${value.trim()}\n`)
    .join("");
  const flags = [...query]
    .filter(([name]) => signedV2.has(name))
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, value]) => value === "" ? name : `${name}=${value}`)
    .join("&");
  const text = [
    method,
    headers.get("content-md5") ?? "",
    headers.get("content-type") ?? "",
    expires,
    `${amz}${path}${flags === "" ? "" : `?${flags}`}`,
  ].join("\n");
  const own = createHmac("sha1", sandboxKeys.awsSecretAccessKey).update(text).digest();
  const given = Uint8Array.from(atob64(query.get("Signature") ?? ""));
  if (given.length !== own.length || !timingSafeEqual(own, given)) {
    throw s3Failure("SignatureDoesNotMatch");
  }
  return { region: undefined };
}

function atob64(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return new Uint8Array(); // Not base64, so no signature.
  }
}
