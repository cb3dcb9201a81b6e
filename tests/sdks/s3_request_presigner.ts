/**
 * Presigned URLs for Amazon's S3 SDK. It is named here and not in deno.json, so that only tests fetch
 * it: Deno fetches every package of the import map at the first start of anything (2.9.6).
 */
export * from "npm:@aws-sdk/s3-request-presigner@3.1164.0";
