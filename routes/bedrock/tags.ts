/** ListTagsForResource, TagResource and UntagResource. */
import { parseJobArn } from "../../codecs/arn.ts";
import { Failure } from "../../codecs/failure.ts";
import { validateTagKeys, validateTags } from "../../jobs/validate.ts";
import type { BedrockRequest } from "./handler.ts";

/** Tells a job's tags. */
export async function listTags(request: BedrockRequest): Promise<unknown> {
  const { deps, reach, signal } = request;
  const tags = await deps.jobs.tags(reach, resourceOf(request), signal);
  return { tags: Object.entries(tags).map(([key, value]) => ({ key, value })) };
}

/** Adds and changes tags. */
export async function tagResource(request: BedrockRequest): Promise<unknown> {
  const { deps, reach, signal } = request;
  const tags = validateTags(member(request, "tags"));
  await deps.jobs.tag(reach, resourceOf(request), tags, signal);
  return {};
}

/** Takes tags away. */
export async function untagResource(request: BedrockRequest): Promise<unknown> {
  const { deps, reach, signal } = request;
  const names = validateTagKeys(member(request, "tagKeys"));
  await deps.jobs.untag(reach, resourceOf(request), names, signal);
  return {};
}

function resourceOf(request: BedrockRequest): string {
  const arn = member(request, "resourceARN");
  const parsed = typeof arn === "string" ? parseJobArn(arn) : undefined;
  if (!parsed) {
    throw new Failure("invalid", "resourceARN must be the ARN of a model invocation job");
  }
  request.audit.job = parsed.jobId;
  return arn as string;
}

function member({ body }: BedrockRequest, name: string): unknown {
  const isObject = typeof body === "object" && body !== null && Object.hasOwn(body, name);
  return isObject ? (body as Record<string, unknown>)[name] : undefined;
}
