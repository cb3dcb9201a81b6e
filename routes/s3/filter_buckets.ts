/** An upstream's list of buckets, without those that a principal may not use. */
import { ByteBuffer } from "../../runtime/byte_buffer.ts";
import { childrenNamed, childText, parseXml, renderXml } from "../../codecs/s3_xml.ts";
import { Failure } from "../../codecs/failure.ts";
import { answerXml } from "./answer.ts";

/** Ten thousand buckets, the most of one page, stay below; the document is held in memory. */
const maxBytes = 4 * 1024 * 1024;

/** Answers with the buckets of a list that are allowed. An answer that is none stays as it is. */
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
