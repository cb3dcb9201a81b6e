/** Jobs of a provider that requests are forwarded to: it is asked for each page, and for each job. */
import { visible } from "../../codecs/visible.ts";
import { isTerminal, type JobStatus, jobStatuses } from "../../codecs/job_status.ts";
import { isObject, type JsonObject, memberOf } from "../../codecs/json_object.ts";
import { Failure } from "../../codecs/failure.ts";
import { encodeUri } from "../../codecs/uri.ts";
import { parseS3Uri } from "../../codecs/s3_uri.ts";
import type { ForwardingProvider } from "../../providers/provider.ts";
import { answerPage } from "./answer.ts";
import { askJobs } from "./ask_elsewhere.ts";
import { Ago, count, Fact, Moment, Reason, State } from "./format.tsx";
import type { JobsFilter } from "./jobs_list.ts";
import { FormToken, Notice, Page } from "./layout.tsx";
import { link, type PageRequest, paths } from "./request.ts";

const pageSize = 50;

/** The table of a page of the provider's jobs; or why it does not show them. */
export async function jobsElsewhere(
  request: PageRequest,
  provider: ForwardingProvider,
  filter: JobsFilter,
) {
  const { query, deps } = request;
  let page: JsonObject;
  try {
    page = await askJobs(request, provider, {
      method: "GET",
      operation: "ListModelInvocationJobs",
      path: "/model-invocation-jobs",
      query: {
        maxResults: `${pageSize}`,
        sortBy: "CreationTime",
        sortOrder: filter.isOldestFirst ? "Ascending" : "Descending",
        statusEquals: filter.status,
        nameContains: filter.name,
        nextToken: query.get("from"),
      },
    });
  } catch (error) {
    if (error instanceof Failure) return <Notice>{error.message}</Notice>;
    throw error;
  }
  const summaries = memberOf(page, "invocationJobSummaries");
  const jobs = Array.isArray(summaries) ? summaries.filter(isObject) : [];
  const next = textOf(page, "nextToken");
  return (
    <>
      <p class="quiet">
        {`${provider.name} is asked for its jobs when the page is loaded. It does not know tenants.`}
      </p>
      {jobs.length === 0 && <Notice>There is no job that fits.</Notice>}
      {jobs.length > 0 && <Table jobs={jobs} provider={provider.name} now={deps.now()} />}
      {next !== "" && (
        <p>
          <a href={link(paths.jobs, { ...Object.fromEntries(query), from: next })} rel="next">
            Further jobs
          </a>
        </p>
      )}
    </>
  );
}

function Table(
  { jobs, provider, now }: {
    readonly jobs: readonly JsonObject[];
    readonly provider: string;
    readonly now: number;
  },
) {
  return (
    <table class="cards">
      <caption class="hidden">{`Jobs at ${provider}`}</caption>
      <thead>
        <tr>
          <th scope="col">Job</th>
          <th scope="col">State</th>
          <th scope="col">Submitted</th>
          <th scope="col">Model</th>
          <th scope="col">Reason</th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <tr>
            <th scope="row" data-label="Job" class="name">
              <a href={link(paths.job, { provider, id: textOf(job, "jobArn") })}>
                {visible(textOf(job, "jobName") || textOf(job, "jobArn"))}
              </a>
            </th>
            <td data-label="State">
              <Status status={textOf(job, "status")} />
            </td>
            <td data-label="Submitted">{ago(job, "submitTime", now)}</td>
            <td data-label="Model" class="part">{textOf(job, "modelId")}</td>
            <Reason text={textOf(job, "message")} />
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Answers with the page of one job at the provider. */
export async function jobElsewherePage(
  request: PageRequest,
  provider: ForwardingProvider,
): Promise<Response> {
  request.audit.operation = "GetModelInvocationJob";
  const id = request.query.get("id") ?? "";
  const job = await askJobs(request, provider, {
    method: "GET",
    operation: "GetModelInvocationJob",
    path: `/model-invocation-job/${encodeUri(id, false)}`,
  });
  const status = knownStatus(textOf(job, "status"));
  const isOver = status !== undefined && isTerminal(status);
  return answerPage(
    <Page request={request} title={visible(textOf(job, "jobName") || id)} at={paths.jobs}>
      {!isOver && !request.principal.readOnly && (
        <section aria-label="Actions" class="actions">
          <form method="post" action={paths.stop}>
            <FormToken request={request} />
            <input type="hidden" name="provider" value={provider.name} />
            <input type="hidden" name="id" value={id} />
            <button type="submit" data-name="action">Stop the job</button>
          </form>
        </section>
      )}
      <p class="quiet">{`${provider.name} was asked for this job when the page was loaded.`}</p>
      <Facts job={job} provider={provider.name} />
    </Page>,
  );
}

/** Numbers that a job may have, and what they are called on the page. */
const countsOf = {
  totalRecordCount: "Records",
  processedRecordCount: "Processed",
  successRecordCount: "Succeeded",
  errorRecordCount: "Failed",
  timeoutDurationInHours: "Time limit in hours",
} as const;

/** Times that a job may have. */
const timesOf = {
  submitTime: "Submitted",
  lastModifiedTime: "Last change",
  endTime: "Ended",
  jobExpirationTime: "Expires",
} as const;

function Facts({ job, provider }: { readonly job: JsonObject; readonly provider: string }) {
  const counts = Object.entries(countsOf).map(([name, title]) => {
    const value = memberOf(job, name);
    return <Fact name={title}>{typeof value === "number" && count(value)}</Fact>;
  });
  const times = Object.entries(timesOf).map(([name, title]) => {
    const at = timeOf(job, name);
    return <Fact name={title}>{at !== undefined && <Moment at={at} />}</Fact>;
  });
  return (
    <dl class="facts">
      <Fact name="State">
        <Status status={textOf(job, "status")} />
      </Fact>
      {counts}
      <Fact name="Reason" isLong>{visible(textOf(job, "message"))}</Fact>
      <Fact name="Model">{textOf(job, "modelId")}</Fact>
      <Fact name="Provider">{provider}</Fact>
      {times}
      <Fact name="ARN" isLong>
        <code>{textOf(job, "jobArn")}</code>
      </Fact>
      <Fact name="Input" isLong>
        <Place uri={uriIn(job, "input")} provider={provider} />
      </Fact>
      <Fact name="Output" isLong>
        <Place uri={uriIn(job, "output")} provider={provider} />
      </Fact>
    </dl>
  );
}

/** The objects that an s3Uri names, with a link to them. */
function Place({ uri, provider }: { readonly uri: string; readonly provider: string }) {
  const at = parseS3Uri(uri);
  if (!at) return <>{visible(uri)}</>;
  const { bucket, key } = at;
  return <a href={link(paths.objects, { provider, bucket, prefix: key })}>{visible(uri)}</a>;
}

function uriIn(job: JsonObject, side: "input" | "output"): string {
  const [outer, inner] = side === "input"
    ? ["inputDataConfig", "s3InputDataConfig"] as const
    : ["outputDataConfig", "s3OutputDataConfig"] as const;
  const config = memberOf(memberOf(job, outer), inner);
  return isObject(config) ? textOf(config, "s3Uri") : "";
}

function Status({ status }: { readonly status: string }) {
  const known = knownStatus(status);
  return known ? <State status={known} /> : <span class="quiet">{status}</span>;
}

/** One that is known here; a provider may come to have others. */
function knownStatus(text: string): JobStatus | undefined {
  return jobStatuses.find((one) => one === text);
}

function textOf(job: JsonObject, name: string): string {
  const value = memberOf(job, name);
  return typeof value === "string" ? value : "";
}

function timeOf(job: JsonObject, name: string): number | undefined {
  const at = Date.parse(textOf(job, name));
  return Number.isNaN(at) ? undefined : at;
}

function ago(job: JsonObject, name: string, now: number) {
  const at = timeOf(job, name);
  return at === undefined ? "" : <Ago at={at} now={now} />;
}
