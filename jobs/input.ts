/** Which object a job reads: the one that its s3Uri names, or else that of the tag. */
import { Failure } from "../codecs/failure.ts";
import { parseS3Uri } from "../codecs/s3_uri.ts";
import { isResultsId } from "../codecs/results_id.ts";
import { type Found, namesObject } from "../objects/find.ts";
import type { Objects } from "../objects/objects.ts";
import { filesOf, type Reach } from "../reach/reach.ts";
import { inputTag } from "./plan.ts";
import { type CreateRequest, fileTag } from "./validate.ts";

/**
 * Finds a job's input. Throws `invalid`, naming what was not found, or where the s3Uri and the tag
 * name different files; `unsupported` where the provider takes no files.
 */
export async function findInput(
  objects: Objects,
  reach: Reach,
  request: CreateRequest,
  signal: AbortSignal,
): Promise<Found> {
  // Where a provider takes no files, "put it there" would be no advice: this says what to do.
  if (!reach.provider.target) {
    for (const account of reach.provider.accounts) filesOf(reach.provider, account);
  }
  const { s3Uri } = request.inputDataConfig.s3InputDataConfig;
  const named = Object.hasOwn(request.tags, fileTag) ? request.tags[fileTag] : undefined;
  const byUri = await findUri(objects, reach, s3Uri, signal);
  // Several objects of a bucket may have the ETag that the tag names: the s3Uri says which it is.
  const isSame = byUri && named !== undefined && namesObject(reach, [named], byUri.record);
  const bucket = parseS3Uri(s3Uri)?.bucket;
  const byTag = named === undefined
    ? undefined
    : isSame
    ? byUri
    : await objects.findFile(reach, named, signal, bucket);
  if (named !== undefined && !byTag) {
    throw notFound(reach, `the tag ${fileTag} names the file ${named}`, s3Uri);
  }
  if (byUri && byTag && byUri.record.file !== byTag.record.file) {
    throw new Failure(
      "invalid",
      `The input s3Uri ${s3Uri} is the file ${byUri.record.file}, and the tag ${fileTag} names ` +
        `${byTag.record.file}. Name one file, or leave the tag out`,
    );
  }
  const found = byUri ?? byTag;
  if (!found) throw notFound(reach, `the input s3Uri is ${s3Uri}`, s3Uri);
  if (isResultsId(found.record.file)) {
    throw new Failure(
      "invalid",
      `The input s3Uri ${s3Uri} names results of a job. Get them, and put what is to be run again`,
    );
  }
  return found;
}

async function findUri(
  objects: Objects,
  reach: Reach,
  s3Uri: string,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const uri = parseS3Uri(s3Uri);
  return uri && uri.key !== "" ? await objects.find(reach, uri, signal) : undefined;
}

function notFound({ provider }: Reach, what: string, s3Uri: string): Failure {
  const { name } = provider;
  const bucket = parseS3Uri(s3Uri)?.bucket ?? "a bucket";
  const advice = provider.accounts.some(({ files }) => files)
    ? `Put the JSONL file into ${bucket} with x-model-provider: ${name}, and name it by its key or ` +
      "by the ETag that the upload answered"
    : `${name} stores no files: put the JSONL file at another provider, and name that in the tag ` +
      inputTag;
  return new Failure("invalid", `The job's input was not found at ${name}: ${what}. ${advice}`);
}
