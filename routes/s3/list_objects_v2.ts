/** ListObjectsV2. */
import { Buffer } from "node:buffer";
import { Failure } from "../../codecs/failure.ts";
import { renderListBucketResult } from "../../codecs/s3_xml.ts";
import type { ListRequest } from "../../objects/list.ts";
import type { S3Request } from "./handler.ts";

/** S3's default and greatest page. */
const maxPage = 1000;

/** Lists a page of a bucket. */
export async function listObjectsV2(request: S3Request): Promise<Response> {
  const { deps, reach, bucket, parameters, principal, signal } = request;
  const text = (name: string) => parameters.get(name) ?? "";
  const maxKeys = pageSize(parameters.get("max-keys"));
  const encodingType = encodingOf(text("encoding-type"));
  const kind = JSON.stringify(["objects", principal.tenant, reach.provider.name, bucket]);
  const token = text("continuation-token");
  const position = token === "" ? undefined : positionOf(deps.tokens.open(kind, token));
  const listing: ListRequest = {
    bucket,
    prefix: text("prefix"),
    delimiter: text("delimiter"),
    maxKeys,
    startAfter: text("start-after"),
    ...(position && { position }),
  };
  const page = maxKeys === 0
    ? { objects: [], commonPrefixes: [] }
    : await deps.objects.list(reach, listing, signal);
  const owner = { id: principal.tenant, displayName: principal.tenant };
  const fetchOwner = text("fetch-owner") === "true";
  const next = "next" in page ? page.next : undefined;
  const xml = await renderListBucketResult({
    bucket,
    prefix: listing.prefix,
    delimiter: listing.delimiter || undefined,
    maxKeys,
    encodingType,
    continuationToken: parameters.get("continuation-token"),
    startAfter: parameters.get("start-after") || undefined,
    nextContinuationToken: next && deps.tokens.seal(kind, Buffer.from(next).toString("base64")),
    contents: page.objects.map(({ key, record }) => ({
      key,
      lastModified: new Date(record.modifiedAt),
      etag: record.file,
      size: record.bytes,
      ...(fetchOwner && { owner }),
    })),
    commonPrefixes: page.commonPrefixes,
  });
  return new Response(xml, { headers: { "content-type": "application/xml" } });
}

function pageSize(text: string | undefined): number {
  if (text === undefined || text === "") return maxPage;
  if (/^[0-9]{1,10}$/.test(text)) return Math.min(Number(text), maxPage);
  throw new Failure("invalid", "max-keys must be a whole number, 0 or more", {
    s3: "InvalidArgument",
    fields: { ArgumentName: "max-keys", ArgumentValue: text },
  });
}

function encodingOf(text: string): "url" | undefined {
  if (text === "") return undefined;
  if (text === "url") return "url";
  throw new Failure("invalid", "encoding-type may be url", {
    s3: "InvalidArgument",
    fields: { ArgumentName: "encoding-type", ArgumentValue: text },
  });
}

function positionOf(opened: unknown): Uint8Array {
  if (typeof opened === "string") return Buffer.from(opened, "base64");
  throw new Failure(
    "invalid",
    "The continuation-token is not one that this bucket's last page answered. List from the start",
    { s3: "InvalidArgument", fields: { ArgumentName: "continuation-token" } },
  );
}
