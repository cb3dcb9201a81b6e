/** CreateBucket, HeadBucket, GetBucketLocation and DeleteBucket. */
import { Failure } from "../../codecs/failure.ts";
import { parseXml, renderXml } from "../../codecs/s3_xml.ts";
import { answerXml } from "./answer.ts";
import { readDocument } from "../body.ts";
import type { S3Request } from "./handler.ts";

/** The region for which S3 answers an empty location. */
const unnamedRegion = "us-east-1";
/** S3's own document has a few hundred bytes. */
const maxConfigurationBytes = 64 * 1024;

/**
 * Creates a bucket; creating one's own again is not an error. Its location may be any: objects are
 * where their provider keeps them.
 */
export async function createBucket(request: S3Request): Promise<Response> {
  const { deps, reach, bucket } = request;
  const { headers } = request;
  checkLabels(bucket);
  const configuration = await readDocument(request, maxConfigurationBytes);
  if (configuration.byteLength > 0) {
    const maxBytes = maxConfigurationBytes;
    await parseXml(configuration, { maxBytes, root: "CreateBucketConfiguration" });
  }
  if (headers.get("x-amz-bucket-object-lock-enabled")?.toLowerCase() === "true") {
    throw new Failure(
      "unsupported",
      `Objects at ${reach.provider.name} cannot be locked. Create the bucket without Object Lock`,
    );
  }
  await deps.objects.buckets.create(reach, bucket);
  return new Response(null, { headers: { location: `/${bucket}`, "content-length": "0" } });
}

/**
 * Each label of a new bucket's name begins and ends with a letter or digit, or no host could have the
 * name. Buckets that exist are read whatever their names: S3's older ones were held to less.
 */
function checkLabels(bucket: string): void {
  if (!bucket.includes(".-") && !bucket.includes("-.")) return;
  throw new Failure(
    "invalid",
    "The bucket's name has a hyphen next to a dot. Begin and end what is between dots with a " +
      "letter or digit",
    { s3: "InvalidBucketName", fields: { BucketName: bucket } },
  );
}

/** Says that a bucket exists; one that does not was refused before. */
export function headBucket({ principal }: S3Request): Promise<Response> {
  const region = principal.region ?? unnamedRegion;
  return Promise.resolve(new Response(null, { headers: { "x-amz-bucket-region": region } }));
}

/**
 * A bucket's location: in the region that the caller signs for, as clients that ask sign their
 * next request for what they get.
 */
export async function getBucketLocation({ principal }: S3Request): Promise<Response> {
  const { region = unnamedRegion } = principal;
  return answerXml(
    await renderXml("LocationConstraint", region === unnamedRegion ? "" : region),
  );
}

/** Deletes an empty bucket. */
export async function deleteBucket({ deps, reach, bucket }: S3Request): Promise<Response> {
  await deps.objects.buckets.remove(reach, bucket);
  return new Response(null, { status: 204 });
}
