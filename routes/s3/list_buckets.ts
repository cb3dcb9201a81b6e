/** ListBuckets, and an upstream's list of buckets without those that a principal may not use. */
import { Failure } from "../../codecs/failure.ts";
import { childrenNamed, childText, parseXml, renderXml, s3Time } from "../../codecs/s3_xml.ts";
import { ByteBuffer } from "../../runtime/byte_buffer.ts";
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

/** Ten thousand buckets, the most of one page, stay below; the document is held in memory. */
const maxBytes = 4 * 1024 * 1024;

/** Answers with the buckets of a list that are allowed. An answer of another form stays as it is. */
export async function filterBuckets(
  response: Response,
  allows: (bucket: string) => boolean,
): Promise<Response> {
  if (!response.ok || !response.body) return response;
  const root = await parseXml(await readUpTo(response.body), {
    maxBytes,
    root: "ListAllMyBucketsResult",
  });
  const buckets = childrenNamed(root, "Buckets").flatMap((all) => childrenNamed(all, "Bucket"));
  const kept = buckets.filter((one) => allows(childText(one, "Name") ?? ""));
  const [owner] = childrenNamed(root, "Owner");
  return answerXml(
    await renderXml("ListAllMyBucketsResult", {
      Owner: owner && { ID: childText(owner, "ID"), DisplayName: childText(owner, "DisplayName") },
      Buckets: {
        Bucket: kept.map((one) => ({
          Name: childText(one, "Name"),
          CreationDate: childText(one, "CreationDate"),
          BucketRegion: childText(one, "BucketRegion"),
        })),
      },
      ContinuationToken: childText(root, "ContinuationToken"),
      Prefix: childText(root, "Prefix"),
    }),
  );
}

async function readUpTo(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const gathered = new ByteBuffer(maxBytes);
  for await (const chunk of body) {
    if (!gathered.append(chunk)) {
      throw new Failure(
        "unavailable",
        "The list of buckets is too long. Ask for fewer: max-buckets",
      );
    }
  }
  return gathered.take();
}
