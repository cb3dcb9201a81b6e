/** ListModelInvocationJobs. */
import { Failure } from "../../codecs/failure.ts";
import type { JobId } from "../../codecs/ids.ts";
import { isJobId } from "../../codecs/job_id.ts";
import { type JobStatus, jobStatuses } from "../../codecs/job_status.ts";
import { parseRawQuery } from "../../codecs/uri.ts";
import type { JobPage, ListJobsRequest } from "../../jobs/list.ts";
import { type BedrockRequest, WrittenJson } from "./handler.ts";
import { jobJson } from "./jobs.ts";

/** How many jobs a page has by default; Bedrock's own default is unstated. */
const defaultPage = 100;
const maxPage = 1000;
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
  const parameters = new Map(sent);
  const reasons: string[] = [];
  const read = <Value>(name: string, parse: (text: string) => Value | undefined, rule: string) => {
    const text = parameters.get(name);
    const value = text === undefined ? undefined : parse(text);
    if (text !== undefined && value === undefined) {
      reasons.push(`Value at '${name}' failed to satisfy constraint: ${rule}`);
    }
    return value;
  };
  const time = "Member must be a time such as 2026-01-01T00:00:00Z";
  const submitTimeAfter = read("submitTimeAfter", parseTime, time);
  const submitTimeBefore = read("submitTimeBefore", parseTime, time);
  const statusEquals = read(
    "statusEquals",
    oneOf<JobStatus>(jobStatuses),
    enumeration(jobStatuses),
  );
  const nameContains = read("nameContains", (text) => text, "");
  const maxResults = read("maxResults", parsePage, `Member must be between 1 and ${maxPage}`);
  const orders = ["Ascending", "Descending"] as const;
  const sortOrder = read("sortOrder", oneOf(orders), enumeration(orders));
  const fields = ["CreationTime"] as const;
  read("sortBy", oneOf(fields), enumeration(fields));
  const after = read("nextToken", openToken, "Member must be the nextToken of the page before");
  if (reasons.length > 0) {
    const count = `${reasons.length} validation error${reasons.length === 1 ? "" : "s"} detected`;
    throw new Failure("invalid", `${count}: ${reasons.join("; ")}`);
  }
  return {
    maxResults: maxResults ?? defaultPage,
    sortOrder: sortOrder ?? "Descending",
    ...(submitTimeAfter !== undefined && { submitTimeAfter }),
    ...(submitTimeBefore !== undefined && { submitTimeBefore }),
    ...(statusEquals !== undefined && { statusEquals }),
    ...(nameContains !== undefined && { nameContains }),
    ...(after !== undefined && { after }),
  };
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

function oneOf<Value extends string>(values: readonly Value[]) {
  return (text: string): Value | undefined => values.find((value) => value === text);
}

function enumeration(values: readonly string[]): string {
  return `Member must satisfy enum value set: [${values.join(", ")}]`;
}
