/**
 * A small real S3 in path style, for the simulated Bedrock to stand on and for the gateway to be
 * tested against.
 *
 * Gaps: versions, tags, ACLs, policies and other subresources are 501; a multipart object has no
 * checksum of the whole; signatures of single chunks are not verified.
 * By design: a request for a region other than the bucket's is served; buckets that were never created
 * exist, empty, unless the sandbox is strict.
 */
import { Failure } from "../codecs/failure.ts";
import { renderS3Error } from "../codecs/s3_xml.ts";
import { s3Error } from "../codecs/s3_errors.ts";
import type { SandboxContext, SandboxRequest, Simulator } from "./context.ts";
import {
  createBucket,
  deleteBucket,
  getBucketLocation,
  headBucket,
  listBuckets,
} from "./s3/buckets.ts";
import type { Handler } from "./s3/call.ts";
import { copyObject } from "./s3/copy.ts";
import { createS3Data } from "./s3/data.ts";
import { deleteObjects } from "./s3/delete_objects.ts";
import { listObjects, listObjectsV2 } from "./s3/list.ts";
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  listMultipartUploads,
  listParts,
  uploadPart,
  uploadPartCopy,
} from "./s3/multipart.ts";
import { deleteObject, getObject, headObject, putObject } from "./s3/objects.ts";
import { type Operation, parseTarget } from "./s3/operation.ts";
import { authenticateS3 } from "./s3/signature.ts";

export { createS3Data, type NewObject, type S3Data, type StoredObject } from "./s3/data.ts";

const handlers: Record<Operation, Handler> = {
  ListBuckets: listBuckets,
  CreateBucket: createBucket,
  HeadBucket: headBucket,
  DeleteBucket: deleteBucket,
  GetBucketLocation: getBucketLocation,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  ListMultipartUploads: listMultipartUploads,
  DeleteObjects: deleteObjects,
  PutObject: putObject,
  CopyObject: copyObject,
  GetObject: getObject,
  HeadObject: headObject,
  DeleteObject: deleteObject,
  CreateMultipartUpload: createMultipartUpload,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
  CompleteMultipartUpload: completeMultipartUpload,
  AbortMultipartUpload: abortMultipartUpload,
  ListParts: listParts,
};

/** Makes the simulated S3. */
export function createS3(context: SandboxContext): Simulator {
  const data = createS3Data(context);
  return async (request) => {
    const requestId = context.id(16).toUpperCase();
    const response = await answer(request, requestId);
    response.headers.set("x-amz-request-id", requestId);
    response.headers.set("x-amz-id-2", hostId(requestId));
    response.headers.set("server", "AmazonS3");
    return response;
  };

  async function answer(request: SandboxRequest, requestId: string): Promise<Response> {
    try {
      const { region = "us-east-1" } = authenticateS3(request, context.now());
      const copies = request.headers.has("x-amz-copy-source");
      const target = parseTarget(request.method, request.path, request.query, copies);
      return await handlers[target.operation]({ ...target, request, context, data, region });
    } catch (error) {
      // Anything else is a fault of the simulation, which its server reports.
      if (!(error instanceof Failure)) throw error;
      return await errorResponse(error, request, requestId);
    } finally {
      // A body that was not read to its end would stall the client.
      if (request.body !== null && !request.body.locked) await request.body.cancel();
    }
  }
}

const hostId = (requestId: string): string => btoa(`sandbox/${requestId}`);

async function errorResponse(
  error: Failure,
  { method, path }: SandboxRequest,
  requestId: string,
): Promise<Response> {
  const { code, status, message, fields, retryAfterSeconds } = s3Error(error);
  const headers = new Headers({ "content-type": "application/xml" });
  if (retryAfterSeconds !== undefined) headers.set("retry-after", `${retryAfterSeconds}`);
  const size = fields.ActualObjectSize;
  if (status === 416 && size !== undefined) headers.set("content-range", `bytes */${size}`);
  if (method === "HEAD") return new Response(null, { status, headers });
  const xml = await renderS3Error({
    code,
    message,
    requestId,
    resource: path,
    hostId: hostId(requestId),
    fields,
  });
  return new Response(xml, { status, headers });
}
