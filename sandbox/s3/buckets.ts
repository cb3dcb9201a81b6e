/** The operations on buckets themselves. */
import { childText } from "../../codecs/s3_xml.ts";
import { type Handler, receiveXml, xmlResponse } from "./call.ts";

/** The one owner of everything here. */
export const owner = {
  id: "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a",
  displayName: "sandbox",
} as const;

/** Lists the buckets that were created or put into. */
export const listBuckets: Handler = ({ data }) =>
  xmlResponse("ListAllMyBucketsResult", {
    Owner: { ID: owner.id, DisplayName: owner.displayName },
    Buckets: {
      Bucket: data.buckets().map(({ name, created }) => ({ Name: name, CreationDate: created })),
    },
  });

/** Creates a bucket; one's own that is there already is not an error. */
export const createBucket: Handler = async ({ request, data, bucket, region }) => {
  const { headers } = request;
  const hasBody = headers.has("transfer-encoding") || Number(headers.get("content-length")) > 0;
  const document = hasBody ? await receiveXml(request, "CreateBucketConfiguration") : undefined;
  const wanted = document === undefined ? undefined : childText(document, "LocationConstraint");
  data.createBucket(bucket, wanted || region);
  return new Response(null, { headers: { location: `/${bucket}` } });
};

/** Answers whether a bucket exists. */
export const headBucket: Handler = ({ data, bucket, region }) =>
  Promise.resolve(
    new Response(null, {
      headers: { "x-amz-bucket-region": data.bucket(bucket, region).region },
    }),
  );

/** Deletes an empty bucket. */
export const deleteBucket: Handler = ({ data, bucket, region }) => {
  data.bucket(bucket, region);
  data.deleteBucket(bucket);
  return Promise.resolve(new Response(null, { status: 204 }));
};

/** Answers with a bucket's region, in S3's way: us-east-1 has no name. */
export const getBucketLocation: Handler = ({ data, bucket, region }) => {
  const location = data.bucket(bucket, region).region;
  return xmlResponse("LocationConstraint", location === "us-east-1" ? "" : location);
};
