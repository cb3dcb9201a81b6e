/**
 * S3: which operation a request is, and its answer. Requests for a provider that speaks S3 itself
 * are forwarded whole, whatever the operation.
 */
import { Failure } from "../../codecs/failure.ts";
import { withLinkHeaders } from "../../codecs/presigned_headers.ts";
import type { Pool, Reservation } from "../../runtime/pool.ts";
import { parseRawQuery } from "../../codecs/uri.ts";
import type { Provider } from "../../providers/provider.ts";
import { checkBucket, checkWrite, reachOf } from "../authorize.ts";
import type { Context } from "../context.ts";
import type { Target } from "../target.ts";
import { explained } from "../explain_choice.ts";
import { noteUpstreamError } from "../upstream_error.ts";
import { impliedChoice, type SelectDeps, selectProvider } from "../select_provider.ts";
import {
  abortMultipartUpload,
  createMultipartUpload,
  listMultipartUploads,
  listParts,
} from "./multipart_upload.ts";
import { addressOf, checkAddress, checkVersion } from "./address.ts";
import { createBucket, deleteBucket, getBucketLocation, headBucket } from "./bucket.ts";
import { completeMultipartUpload } from "./complete_multipart_upload.ts";
import { copyObject } from "./copy_object.ts";
import { deleteObject, deleteObjects } from "./delete_objects.ts";
import { getObject, headObject } from "./get_object.ts";
import { getObjectAttributes } from "./get_object_attributes.ts";
import { forwardS3 } from "./forward.ts";
import type { S3Deps, S3Handler, S3Request } from "./handler.ts";
import { listBuckets } from "./list_buckets.ts";
import { listObjects, listObjectsV2, listObjectVersions } from "./list_objects.ts";
import {
  detectOperation,
  isSupported,
  type OperationFacts,
  type SupportedOperation,
} from "./operation.ts";
import { plainBucketHandler } from "./plain_bucket.ts";
import { putObject } from "./put_object.ts";
import { createRefusal, type RefusalDeps } from "./refuse.ts";
import { uploadPart, uploadPartCopy } from "./upload_part.ts";

const handlers: Readonly<Record<SupportedOperation, S3Handler>> = {
  AbortMultipartUpload: abortMultipartUpload,
  CompleteMultipartUpload: completeMultipartUpload,
  CopyObject: copyObject,
  CreateBucket: createBucket,
  CreateMultipartUpload: createMultipartUpload,
  DeleteBucket: deleteBucket,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  GetBucketLocation: getBucketLocation,
  GetObject: getObject,
  GetObjectAttributes: getObjectAttributes,
  HeadBucket: headBucket,
  HeadObject: headObject,
  ListBuckets: listBuckets,
  ListMultipartUploads: listMultipartUploads,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  ListObjectVersions: listObjectVersions,
  ListParts: listParts,
  PutObject: putObject,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
};

/** Dependencies of the S3 routes. */
export interface S3RouteDeps extends S3Deps, SelectDeps, RefusalDeps {
  /** Uploads under way. */
  readonly uploads: Pool;
}

/** Makes what answers S3 requests below a mount, such as `/bedrock/files`. */
export function createS3(deps: S3RouteDeps, mount: string) {
  const refuse = createRefusal(deps, mount);
  return async (context: Context): Promise<Response> => {
    try {
      return withIds(context, await answer(deps, mount, context));
    } catch (error) {
      const response = await refuse(error, context);
      if (response.status >= 500) deps.broken(context, error);
      return response;
    }
  };
}

/**
 * Returns what a request asks for: bucket and key, the operation, and what it is known by.
 *
 * @returns `headers` with those that a presigned link holds in its query.
 */
export function requestedOperation(
  { s3Domains }: Pick<S3RouteDeps, "s3Domains">,
  mount: string,
  method: string,
  requestHeaders: Headers,
  target: Target,
) {
  const address = addressOf(target, mount, s3Domains);
  const query = parseRawQuery(target.query);
  const parameters = parametersOf(query);
  const headers = withLinkHeaders(requestHeaders, query);
  const level: OperationFacts["level"] = address.bucket === undefined
    ? "service"
    : address.key === undefined
    ? "bucket"
    : "object";
  const operation = detectOperation({
    method,
    level,
    has: (parameter) => parameters.has(parameter),
    copies: headers.has("x-amz-copy-source"),
  });
  return { address, operation, parameters, headers };
}

async function answer(deps: S3RouteDeps, mount: string, context: Context): Promise<Response> {
  const { request, target, principal, audit } = context;
  const { address, operation, parameters, headers } = requestedOperation(
    deps,
    mount,
    request.method,
    request.headers,
    target,
  );
  audit.bucket = address.bucket ?? null;
  audit.key = address.key ?? null;
  audit.operation = operation ?? null;
  checkWrite(principal, operation);
  checkBucket(principal, address.bucket);
  const provider = selectProvider(deps, principal, request.headers, address.bucket);
  audit.provider = provider.name;
  const reservation = enter(deps, context, provider);
  try {
    const { forward } = provider;
    if (forward) {
      return await explained(
        impliedChoice(deps, principal, request.headers, address.bucket),
        async () =>
          noteUpstreamError(await forwardS3(deps, forward, operation, context, address), audit),
      );
    }
    checkAddress(address);
    const { bucket = "", key = "" } = address;
    const reach = reachOf(principal, provider.stores);
    const s3Request = { ...context, deps, reach, headers, bucket, key, parameters };
    return await answerFromCatalog(operation, s3Request);
  } finally {
    reservation?.leave();
  }
}

async function answerFromCatalog(
  operation: string | undefined,
  request: S3Request,
): Promise<Response> {
  const { deps, reach, bucket, key, parameters } = request;
  const handler = operation === undefined
    ? undefined
    : isSupported(operation)
    ? handlers[operation]
    : plainBucketHandler(operation);
  if (!handler) throw notOffered(operation, reach.provider.name);
  if (bucket !== "" && operation !== "CreateBucket") {
    await deps.objects.buckets.check(reach, bucket);
  }
  if (key !== "") checkVersion(parameters.get("versionId"));
  return await handler(request);
}

/** Reserves an upload that begins. Throws `throttled` where there is no room for it. */
function enter(
  { uploads }: S3RouteDeps,
  { request: { method, body }, principal: { tenant } }: Context,
  { name }: Provider,
): Reservation | undefined {
  if (body === null || (method !== "PUT" && method !== "POST")) return undefined;
  const reservation = uploads.take({ tenant, account: name });
  if (reservation) return reservation;
  throw new Failure(
    "throttled",
    `${uploads.taken()} uploads are under way, and there is no room for another to ${name}. Send ` +
      "it again in a moment",
    { s3: "SlowDown", retryAfterSeconds: 1 },
  );
}

function parametersOf(query: readonly (readonly [string, string])[]): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of query) {
    if (!parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}

function notOffered(operation: string | undefined, provider: string): Failure {
  if (operation === undefined) {
    return new Failure("unsupported", "S3 has no operation of this method here", {
      s3: "MethodNotAllowed",
    });
  }
  return new Failure(
    "unsupported",
    `${operation} is not offered for objects at ${provider}; docs/gaps.md and the README's table of ` +
      "operations say what is. Leave it out",
    { s3: "NotImplemented" },
  );
}

function withIds({ requestId }: Context, response: Response): Response {
  if (!response.headers.has("x-amz-request-id")) {
    response.headers.set("x-amz-request-id", requestId);
    response.headers.set("x-amz-id-2", requestId);
  }
  return response;
}
