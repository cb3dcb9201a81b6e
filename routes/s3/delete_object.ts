/** DeleteObject. */
import { parseEntityTags } from "../../codecs/preconditions.ts";
import { deleteConditions } from "./delete_conditions.ts";
import type { S3Request } from "./handler.ts";

/** Deletes an object; 204 also where there is none, as in S3. */
export async function deleteObject(request: S3Request): Promise<Response> {
  const { deps, reach, bucket, key, signal } = request;
  const { headers } = request;
  const ifMatch = parseEntityTags(headers.get("if-match"));
  const sent = (name: string) => ({ name, text: headers.get(name) });
  const accept = deleteConditions(
    sent("x-amz-if-match-last-modified-time"),
    sent("x-amz-if-match-size"),
  );
  await deps.objects.remove(reach, { bucket, key, ...(ifMatch && { ifMatch }), accept }, signal);
  return new Response(null, { status: 204 });
}
