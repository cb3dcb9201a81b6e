/** The list of jobs. */
import { visible } from "../../codecs/visible.ts";
import { jobStatuses } from "../../codecs/job_status.ts";
import { messageOfEnd } from "../../jobs/end_message.ts";
import { answerPage } from "./answer.ts";
import { Ago, Progress, Reason, State } from "./format.tsx";
import { costsOf } from "./job_cost.ts";
import {
  type JobsFilter,
  listShownJobs,
  oldestFirst,
  readFilter,
  type ShownJob,
} from "./jobs_list.ts";
import { jobsElsewhere } from "./jobs_elsewhere.tsx";
import { LastKnown, Notice, Page } from "./layout.tsx";
import {
  forwardingAt,
  forwardingProviders,
  mostTenants,
  providerNames,
  tenantsOf,
} from "./reaches.ts";
import { link, type PageRequest, paths } from "./request.ts";

/** Answers with the list of jobs. */
export async function jobsPage(request: PageRequest): Promise<Response> {
  request.audit.operation = "ListModelInvocationJobs";
  const filter = readFilter(request.query);
  const elsewhere = forwardingAt(request, filter.provider);
  const table = elsewhere
    ? await jobsElsewhere(request, elsewhere, filter)
    : await jobsTable(request, filter);
  const tenants = await tenantsOf(request);
  const query = Object.fromEntries(request.query);
  return answerPage(
    <Page request={request} title="Jobs" at={paths.jobs}>
      <Filters request={request} filter={filter} tenants={tenants} />
      {!elsewhere && tenants.length > mostTenants && filter.tenant === undefined && (
        <Notice>
          {`There are ${tenants.length} tenants. The jobs of the first ${mostTenants} are shown: ` +
            "choose one to see its jobs."}
        </Notice>
      )}
      {elsewhere ? table : (
        <>
          <div data-live={link(paths.live, { ...query, view: "jobs" })}>{table}</div>
          {filter.provider === undefined && <Elsewhere names={forwardingProviders(request)} />}
        </>
      )}
    </Page>,
  );
}

/** The table of a page of jobs, with the link to the next. */
export async function jobsTable(
  request: Pick<PageRequest, "principal" | "deps" | "signal" | "query">,
  filter: JobsFilter,
) {
  const { jobs, next, troubles } = await listShownJobs(request, filter);
  const now = request.deps.now();
  const costs = await costsOf(request.deps, jobs);
  const withTenant = request.principal.admin === true;
  const further = next &&
    link(paths.jobs, { ...Object.fromEntries(request.query), view: undefined, after: next });
  return (
    <>
      {[...troubles].map(([provider, why]) => <LastKnown provider={provider} why={why} />)}
      {jobs.length === 0
        ? <Notice>There is no job that fits.</Notice>
        : <JobsTable jobs={jobs} costs={costs} now={now} withTenant={withTenant} />}
      {further && (
        <p>
          <a href={further} rel="next">Further jobs</a>
        </p>
      )}
    </>
  );
}

function JobsTable(
  { jobs, costs, now, withTenant }: {
    readonly jobs: readonly ShownJob[];
    readonly costs: readonly string[];
    readonly now: number;
    readonly withTenant: boolean;
  },
) {
  return (
    <table class="cards">
      <caption class="hidden">Jobs by the time of their submission</caption>
      <thead>
        <tr>
          <th scope="col">Job</th>
          <th scope="col">State</th>
          <th scope="col">Progress</th>
          <th scope="col">Submitted</th>
          <th scope="col">Model</th>
          <th scope="col">Provider</th>
          {withTenant && <th scope="col">Tenant</th>}
          <th scope="col" class="number">Cost</th>
          <th scope="col">Reason</th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((one, at) => (
          <JobRow shown={one} cost={costs[at] ?? ""} now={now} withTenant={withTenant} />
        ))}
      </tbody>
    </table>
  );
}

function JobRow(
  { shown: { tenant, provider, job }, cost, now, withTenant }: {
    readonly shown: ShownJob;
    readonly cost: string;
    readonly now: number;
    readonly withTenant: boolean;
  },
) {
  const to = link(paths.job, { provider, id: job.id, ...(withTenant && { tenant }) });
  return (
    <tr>
      <th scope="row" data-label="Job" class="name">
        <a href={to}>{visible(job.name)}</a>
      </th>
      <td data-label="State">
        <State status={job.status} />
      </td>
      <td data-label="Progress">
        <Progress counts={job.counts} name={job.name} />
      </td>
      <td data-label="Submitted">
        <Ago at={job.submittedAt} now={now} />
      </td>
      <td data-label="Model" class="part">{job.modelId}</td>
      <td data-label="Provider" class="short">{provider}</td>
      {withTenant && <td data-label="Tenant" class="part">{tenant === "" ? "native" : tenant}</td>}
      <td data-label="Cost" class="number">{cost}</td>
      <Reason text={messageOfEnd(job) ?? job.message} />
    </tr>
  );
}

function Filters(
  { request, filter, tenants }: {
    readonly request: PageRequest;
    readonly filter: JobsFilter;
    readonly tenants: readonly string[];
  },
) {
  return (
    <form class="filters" method="get" action={paths.jobs} role="search" aria-label="Jobs">
      <label>
        Name contains
        <input type="search" name="name" value={filter.name ?? ""} maxlength={63} />
      </label>
      <Choice label="State" name="status" options={jobStatuses} value={filter.status} />
      <Choice
        label="Provider"
        name="provider"
        options={providerNames(request)}
        value={filter.provider}
      />
      {request.principal.admin === true && (
        <Choice label="Tenant" name="tenant" options={tenants} value={filter.tenant} />
      )}
      <label>
        Order
        <select name="order">
          <option value="">newest first</option>
          <option value={oldestFirst} selected={filter.isOldestFirst}>oldest first</option>
        </select>
      </label>
      <button type="submit">Show</button>
    </form>
  );
}

/** A choice among names, or all of them. */
export function Choice(
  { label, name, options, value, all = "all" }: {
    readonly label: string;
    readonly name: string;
    readonly options: readonly string[];
    readonly value: string | undefined;
    /** The choice of none; undefined where one must be chosen. */
    readonly all?: string | undefined;
  },
) {
  return (
    <label>
      {label}
      <select name={name}>
        <option value="">{all}</option>
        {options.map((one) => <option value={one} selected={one === value}>{one}</option>)}
      </select>
    </label>
  );
}

function Elsewhere({ names }: { readonly names: readonly string[] }) {
  if (names.length === 0) return null;
  return (
    <p class="quiet">
      Not in this list, for requests are forwarded to them: the jobs of {names.map((name, at) => (
        <>
          {at > 0 && ", "}
          <a href={link(paths.jobs, { provider: name })}>{name}</a>
        </>
      ))}
    </p>
  );
}
