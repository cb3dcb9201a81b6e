/** ListBuckets. */
import { Failure } from "../../codecs/failure.ts";
import { renderXml, s3Time } from "../../codecs/s3_xml.ts";
import { answerXml } from "./answer.ts";
import type { S3Request } from "./handler.ts";
import { ownerOf } from "./listing.ts";

/** S3's default and greatest page (2026-11). */
const maxPage = 10_000;

/** Lists a provider's buckets: those created, those that hold objects, and its native ones. */
export async function listBuckets(request: S3Request): Promise<Response> {
  const { deps, reach, parameters, principal, signal } = request;
  const prefix = parameters.get("prefix") ?? "";
  const token = parameters.get("continuation-token") ?? "";
  const kind = JSON.stringify(["buckets", principal.tenant, reach.provider.name]);
  const after = token === "" ? "" : deps.tokens.open(kind, token);
  if (typeof after !== "string") {
    throw new Failure(
      "invalid",
      "The continuation-token is not one that the last page answered. List from the start",
      { s3: "InvalidArgument", fields: { ArgumentName: "continuation-token" } },
    );
  }
  const limit = pageSize(parameters.get("max-buckets") ?? "");
  const page = await deps.objects.buckets.list(reach, { prefix, after, limit }, signal);
  const last = page.buckets.at(-1);
  const { id, displayName } = ownerOf(request);
  const xml = await renderXml("ListAllMyBucketsResult", {
    Owner: { ID: id, DisplayName: displayName },
    Buckets: {
      Bucket: page.buckets.map(({ name, createdAt }) => ({
        Name: name,
        CreationDate: s3Time(createdAt),
      })),
    },
    ContinuationToken: page.isTruncated && last ? deps.tokens.seal(kind, last.name) : undefined,
    Prefix: prefix === "" ? undefined : prefix,
  });
  return answerXml(xml);
}

function pageSize(text: string): number {
  if (text === "") return maxPage;
  const size = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (size >= 1 && size <= maxPage) return size;
  throw new Failure("invalid", `max-buckets must be a whole number from 1 to ${maxPage}`, {
    s3: "InvalidArgument",
    fields: { ArgumentName: "max-buckets", ArgumentValue: text },
  });
}
