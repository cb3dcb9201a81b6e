/** DeleteObject. */
import { parseEntityTags } from "../../codecs/preconditions.ts";
import type { S3Request } from "./handler.ts";

/** Deletes an object; 204 also where there is none, as in S3. */
export async function deleteObject(request: S3Request): Promise<Response> {
  const { deps, reach, bucket, key, signal } = request;
  const ifMatch = parseEntityTags(request.request.headers.get("if-match"));
  await deps.objects.remove(reach, { bucket, key, ...(ifMatch && { ifMatch }) }, signal);
  return new Response(null, { status: 204 });
}
