/** ListObjectsV2. */
import { Buffer } from "node:buffer";
import { Failure } from "../../codecs/failure.ts";
import { renderListBucketResult } from "../../codecs/s3_xml.ts";
import type { S3Request } from "./handler.ts";
import { answerPage, listed, ownerOf, readListing, readPage } from "./listing.ts";

/** Lists a page of a bucket. */
export async function listObjectsV2(request: S3Request): Promise<Response> {
  const { deps, reach, bucket, parameters, principal } = request;
  const listing = readListing(parameters);
  const kind = JSON.stringify(["objects", principal.tenant, reach.provider.name, bucket]);
  const token = parameters.get("continuation-token") ?? "";
  const position = token === "" ? undefined : positionOf(deps.tokens.open(kind, token));
  const startAfter = parameters.get("start-after") ?? "";
  const page = await readPage(request, listing, { startAfter, ...(position && { position }) });
  const owner = parameters.get("fetch-owner") === "true" ? ownerOf(request) : undefined;
  const { next } = page;
  return answerPage(
    request,
    page,
    () =>
      renderListBucketResult({
        ...listing,
        bucket,
        delimiter: listing.delimiter || undefined,
        continuationToken: parameters.get("continuation-token"),
        startAfter: startAfter || undefined,
        nextContinuationToken: next && deps.tokens.seal(kind, Buffer.from(next).toString("base64")),
        contents: listed(page, owner),
        commonPrefixes: page.commonPrefixes,
      }),
  );
}

function positionOf(opened: unknown): Uint8Array {
  if (typeof opened === "string") return Buffer.from(opened, "base64");
  throw new Failure(
    "invalid",
    "The continuation-token is not one that this bucket's last page answered. List from the start",
    { s3: "InvalidArgument", fields: { ArgumentName: "continuation-token" } },
  );
}
