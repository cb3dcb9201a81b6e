/** ListObjects, the first version, which older clients still send. */
import { renderListBucketResultV1 } from "../../codecs/s3_xml.ts";
import type { S3Request } from "./handler.ts";
import { answerPage, lastName, listed, ownerOf, readListing, readPage } from "./listing.ts";

/** Lists a page of a bucket. */
export async function listObjects(request: S3Request): Promise<Response> {
  const { bucket, parameters } = request;
  const listing = readListing(parameters);
  const marker = parameters.get("marker") ?? "";
  const page = await readPage(request, listing, { startAfter: marker });
  const isTruncated = page.next !== undefined;
  return answerPage(
    request,
    page,
    () =>
      renderListBucketResultV1({
        ...listing,
        bucket,
        delimiter: listing.delimiter || undefined,
        marker,
        isTruncated,
        // Without a delimiter S3 tells none: clients go on from the last key.
        nextMarker: isTruncated && listing.delimiter !== "" ? lastName(page)?.name : undefined,
        contents: listed(page, ownerOf(request)),
        commonPrefixes: page.commonPrefixes,
      }),
  );
}
