/**
 * S3: which operation a request is, and its answer. Requests for a provider that speaks S3 itself
 * are forwarded whole, whatever the operation.
 */
import { Failure } from "../../codecs/failure.ts";
import { s3Error } from "../../codecs/s3_errors.ts";
import { renderS3Error } from "../../codecs/s3_xml.ts";
import { parseRawQuery } from "../../codecs/uri.ts";
import type { ForwardingProvider } from "../../providers/provider.ts";
import type { Context } from "../context.ts";
import { type SelectDeps, selectProvider } from "../select_provider.ts";
import { abortMultipartUpload } from "./abort_multipart_upload.ts";
import { addressOf, checkAddress, type S3Address } from "./address.ts";
import { createBucket, deleteBucket, getBucketLocation, headBucket } from "./bucket.ts";
import { completeMultipartUpload } from "./complete_multipart_upload.ts";
import { copyObject } from "./copy_object.ts";
import { createMultipartUpload } from "./create_multipart_upload.ts";
import { deleteObject } from "./delete_object.ts";
import { deleteObjects } from "./delete_objects.ts";
import { getObject, headObject } from "./get_object.ts";
import { getObjectAttributes } from "./get_object_attributes.ts";
import type { S3Deps, S3Handler } from "./handler.ts";
import { listBuckets } from "./list_buckets.ts";
import { listMultipartUploads } from "./list_multipart_uploads.ts";
import { listObjectVersions } from "./list_object_versions.ts";
import { listObjects } from "./list_objects.ts";
import { listObjectsV2 } from "./list_objects_v2.ts";
import { listParts } from "./list_parts.ts";
import { detectOperation, isSupported, type SupportedOperation } from "./operation.ts";
import { putObject } from "./put_object.ts";
import { uploadPart } from "./upload_part.ts";
import { uploadPartCopy } from "./upload_part_copy.ts";
import { checkVersion } from "./version.ts";

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

/** What the S3 routes are made from. */
export interface S3RouteDeps extends S3Deps, SelectDeps {
  readonly s3Domains: readonly string[];
}

/** Makes what answers S3 requests below a mount, such as `/bedrock/files`. */
export function createS3(deps: S3RouteDeps, mount: string) {
  return async (context: Context): Promise<Response> => {
    try {
      return withIds(context, await answer(deps, mount, context));
    } catch (error) {
      return await refuse(deps, context, error);
    }
  };
}

async function answer(deps: S3RouteDeps, mount: string, context: Context): Promise<Response> {
  const { request, target, principal, audit } = context;
  const address = addressOf(target, mount, deps.s3Domains);
  audit.bucket = address.bucket ?? null;
  audit.key = address.key ?? null;
  const parameters = parametersOf(target.query);
  const level = address.bucket === undefined
    ? "service"
    : address.key === undefined
    ? "bucket"
    : "object";
  const operation = detectOperation({
    method: request.method,
    level,
    has: (parameter) => parameters.has(parameter),
    copies: request.headers.has("x-amz-copy-source"),
  });
  audit.operation = operation ?? null;
  const provider = selectProvider(deps, request.headers, address.bucket);
  audit.provider = provider.name;
  if (provider.forwards) return await forward(provider, context, address);
  checkAddress(address);
  const { bucket = "", key = "" } = address;
  if (operation === undefined || !isSupported(operation)) {
    throw notOffered(operation, provider.name);
  }
  const reach = { tenant: principal.tenant, native: principal.native, provider };
  if (level !== "service" && operation !== "CreateBucket") {
    await deps.objects.buckets.check(reach, bucket);
  }
  if (level === "object") checkVersion(parameters.get("versionId"));
  return await handlers[operation]({ ...context, deps, reach, bucket, key, parameters });
}

function forward(
  provider: ForwardingProvider,
  { request, target, principal, signal }: Context,
  { path }: S3Address,
): Promise<Response> {
  const { method, headers, body } = request;
  const { region } = principal;
  return provider.forward(
    { service: "s3", method, path, query: target.query, headers, body, region },
    signal,
  );
}

function parametersOf(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of parseRawQuery(query)) {
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
    `${operation} is not offered for objects at ${provider}; the README's table of operations tells ` +
      "what is. Leave it out",
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

async function refuse(deps: S3RouteDeps, context: Context, failure: unknown): Promise<Response> {
  const { request, target, requestId } = context;
  const error = s3Error(failure);
  if (error.status >= 500) deps.broken(context, failure);
  const headers = new Headers({
    "content-type": "application/xml",
    "x-amz-request-id": requestId,
    "x-amz-id-2": requestId,
  });
  if (error.retryAfterSeconds !== undefined) {
    headers.set("retry-after", `${error.retryAfterSeconds}`);
  }
  const size = error.fields["ActualObjectSize"];
  if (error.status === 416 && size !== undefined) headers.set("content-range", `bytes */${size}`);
  if (request.method === "HEAD") return new Response(null, { status: error.status, headers });
  const xml = await renderS3Error({
    ...error,
    requestId,
    hostId: requestId,
    resource: target.path,
  });
  return new Response(xml, { status: error.status, headers });
}
