/** AbortMultipartUpload. */
import type { S3Request } from "./handler.ts";
import { uploadNameOf } from "./upload_name.ts";

/** Gives an upload up: its parts are gone, and no provider ever heard of it. */
export async function abortMultipartUpload(request: S3Request): Promise<Response> {
  await request.deps.objects.multipart.abort(request.reach, uploadNameOf(request));
  return new Response(null, { status: 204 });
}
