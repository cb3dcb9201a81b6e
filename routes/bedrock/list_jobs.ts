/** ListModelInvocationJobs. */
import * as v from "valibot";
import { checked, oneOf, parsed } from "../../codecs/constraints.ts";
import type { JobId } from "../../codecs/ids.ts";
import { isJobId } from "../../codecs/job_id.ts";
import { jobStatuses } from "../../codecs/job_status.ts";
import { parseRawQuery } from "../../codecs/uri.ts";
import type { JobPage, ListJobsRequest } from "../../jobs/list.ts";
import { type BedrockRequest, WrittenJson } from "./handler.ts";
import { jobJson } from "./jobs.ts";

/** How many jobs a page has by default; Bedrock's own default is unstated. */
const defaultPage = 100;
const maxPage = 1000;
const time = parsed(parseTime, "Member must be a time such as 2026-01-01T00:00:00Z");
const parameters = {
  submitTimeAfter: v.exactOptional(time),
  submitTimeBefore: v.exactOptional(time),
  statusEquals: v.exactOptional(oneOf(...jobStatuses)),
  nameContains: v.exactOptional(v.string()),
  maxResults: v.optional(
    parsed(parsePage, `Member must be between 1 and ${maxPage}`),
    `${defaultPage}`,
  ),
  sortOrder: v.optional(oneOf("Ascending", "Descending"), "Descending"),
  sortBy: v.exactOptional(oneOf("CreationTime")),
};
/** Answers made of pages that have not changed since. */
const answers = new WeakMap<JobPage, WrittenJson>();

/** Lists a page of jobs. */
export async function listJobs(request: BedrockRequest): Promise<unknown> {
  const { deps, reach, principal, target, signal } = request;
  const kind = JSON.stringify(["jobs", principal.tenant, reach.provider.name]);
  const query = readQuery(target.query, (token) => {
    const opened = deps.tokens.open(kind, token);
    return typeof opened === "string" && isJobId(opened) ? opened : undefined;
  });
  const page = await deps.jobs.list(reach, principal.region, query, signal);
  const written = answers.get(page) ?? new WrittenJson({
    invocationJobSummaries: page.jobs.map(jobJson),
    nextToken: page.next && deps.tokens.seal(kind, page.next),
  });
  answers.set(page, written);
  return written;
}

/** Reads a list's parameters. Throws `invalid` with every reason at once. */
export function readQuery(
  raw: string,
  openToken: (token: string) => JobId | undefined,
): ListJobsRequest {
  // An empty parameter is one that was not sent.
  const sent = parseRawQuery(raw).filter(([, value]) => value !== "");
  const { nextToken: after, sortBy: _, ...query } = checked(
    v.object({
      ...parameters,
      nextToken: v.exactOptional(
        parsed(openToken, "Member must be the nextToken of the page before"),
      ),
    }),
    Object.fromEntries(sent),
  );
  return { ...query, ...(after !== undefined && { after }) };
}

function parseTime(text: string): number | undefined {
  const form = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/;
  const time = form.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(time) ? undefined : time;
}

function parsePage(text: string): number | undefined {
  const count = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= maxPage ? count : undefined;
}
