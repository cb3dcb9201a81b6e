/** One job: its facts, its data, its shards, and what can be done about it. */
import { visible } from "../../codecs/visible.ts";
import type { JobEntry } from "../../catalog/entries.ts";
import type { ShardEntry } from "../../catalog/shard_entries.ts";
import { isTerminal } from "../../codecs/job_status.ts";
import { parseS3Uri } from "../../codecs/s3_uri.ts";
import { toDoInstead } from "../../jobs/failed_records.ts";
import { resultsKeys } from "../../jobs/results/keys.ts";
import { messageOfEnd } from "../../jobs/end_message.ts";
import { arnOf } from "../bedrock/jobs.ts";
import { answerPage } from "./answer.ts";
import { EventsOfJob } from "./job_events.tsx";
import { whyNotAgain } from "./failed_input.ts";
import { Ago, count, Fact, Moment, Progress, Reason, State } from "./format.tsx";
import { jobElsewherePage } from "./jobs_elsewhere.tsx";
import { costsOf } from "./job_cost.ts";
import { FormToken, LastKnown, Notice, Page } from "./layout.tsx";
import { forwardingAt, type OwnReach, reachAt } from "./reaches.ts";
import { orLastKnown } from "./last_known.ts";
import { link, type PageRequest, paths } from "./request.ts";

/** Answers with the page of one job. */
export async function jobPage(request: PageRequest): Promise<Response> {
  const elsewhere = forwardingAt(request, request.query.get("provider"));
  if (elsewhere) return await jobElsewherePage(request, elsewhere);
  request.audit.operation = "GetModelInvocationJob";
  const { query } = request;
  const details = await jobDetails(request);
  const found = await request.deps.records.eventsOf(details.scope, details.job);
  const live = link(paths.live, { ...Object.fromEntries(query), view: "job" });
  return answerPage(
    <Page request={request} title={visible(details.job.name)} at={paths.jobs}>
      <div data-live={live}>{details.shown}</div>
      <EventsOfJob found={found} now={request.deps.now()} />
    </Page>,
  );
}

/** Reads a job, as the query names it, and shows what is known of it. */
export async function jobDetails(request: PageRequest) {
  const { deps, query, audit, signal } = request;
  const own = reachAt(request, query.get("tenant"), query.get("provider"));
  const { reach, principal } = own;
  const id = query.get("id") ?? "";
  audit.provider = reach.provider.name;
  const { value: job, trouble } = await orLastKnown(
    reach.provider.name,
    deps.jobs.get(reach, principal.region, id, signal),
    () => deps.jobs.known(reach, id),
  );
  audit.job = job.id;
  const tags = await deps.jobs.tags(reach, job.id, signal);
  const scope = { tenant: own.tenant, provider: reach.provider.name };
  const shards = job.plan.kind === "sharded" ? await deps.records.shards(scope, job.id) : [];
  const [cost] = await costsOf(deps, [{ ...scope, job }]);
  const shown = (
    <>
      {trouble !== undefined && <LastKnown provider={reach.provider.name} why={trouble} />}
      <Actions request={request} job={job} own={own} />
      <Facts job={job} cost={cost} own={own} now={deps.now()} />
      <Data job={job} own={own} />
      <Tags tags={tags} />
      <Shards shards={shards} />
    </>
  );
  return { job, scope, shown };
}

function Facts(
  { job, cost, own, now }: {
    readonly job: JobEntry;
    readonly cost: string | undefined;
    readonly own: OwnReach;
    readonly now: number;
  },
) {
  const { counts } = job;
  return (
    <dl class="facts">
      <Fact name="State">
        <State status={job.status} />
      </Fact>
      <Fact name="Progress">
        <Progress counts={counts} name={job.name} />
      </Fact>
      <Fact name="Records">
        {counts && counts.total > 0 &&
          `${count(counts.success)} succeeded, ${count(counts.error)} failed`}
      </Fact>
      <Fact name="Cost">{cost}</Fact>
      <Fact name="Reason" isLong>{visible(messageOfEnd(job) ?? job.message ?? "")}</Fact>
      <Fact name="Model">{job.modelId}</Fact>
      <Fact name="Provider">{own.reach.provider.name}</Fact>
      <Fact name="Tenant">{job.plan.kind === "native" ? "native" : own.tenant}</Fact>
      <Fact name="Access key">{job.accessKeyId}</Fact>
      <Fact name="Submitted">
        <Moment at={job.submittedAt} />
      </Fact>
      <Fact name="Last change">
        <Ago at={job.modifiedAt} now={now} />
      </Fact>
      <Fact name="Ended">{job.endedAt !== undefined && <Moment at={job.endedAt} />}</Fact>
      <Fact name="Expires">{job.expiresAt !== undefined && <Moment at={job.expiresAt} />}</Fact>
      <Fact name="ARN" isLong>
        <code>{arnOf(job)}</code>
      </Fact>
      <Fact name="Plan" isLong>{planOf(job)}</Fact>
      <Fact name="Token">{job.clientRequestToken}</Fact>
    </dl>
  );
}

function planOf({ plan }: JobEntry): string {
  if (plan.kind === "native") return `native batch ${plan.batch} on account ${plan.account}`;
  if (plan.kind === "direct") return `one batch ${plan.batch} on account ${plan.account}`;
  return `shards on account ${plan.account}, from ${plan.from} to ${plan.to}`;
}

function Data({ job, own }: { readonly job: JobEntry; readonly own: OwnReach }) {
  const provider = own.reach.provider.name;
  const input = job.inputDataConfig.s3InputDataConfig.s3Uri;
  const output = job.outputDataConfig.s3OutputDataConfig.s3Uri;
  const keys = resultsKeys(job);
  const at = parseS3Uri(input);
  const base = { provider, tenant: own.tenant };
  const object = (bucket: string, key: string) => link(paths.object, { ...base, bucket, key });
  return (
    <section aria-labelledby="data">
      <h2 id="data">Data</h2>
      <dl class="facts">
        <Fact name="Input" isLong>
          {at && at.key !== "" && !at.key.endsWith("/")
            ? <a href={object(at.bucket, at.key)}>{visible(input)}</a>
            : visible(input)}
        </Fact>
        <Fact name="Output" isLong>{visible(output)}</Fact>
        {keys && isTerminal(job.status) && (
          <>
            <Fact name="Results" isLong>
              <a
                href={link(paths.objects, { ...base, bucket: keys.bucket, prefix: keys.folder })}
              >
                {visible(keys.folder)}
              </a>
            </Fact>
            <Fact name="Losses">
              {job.plan.kind === "sharded" && (
                <a href={object(keys.bucket, keys.losses)}>translation.ndjson</a>
              )}
            </Fact>
          </>
        )}
      </dl>
    </section>
  );
}

function Tags({ tags }: { readonly tags: Readonly<Record<string, string>> }) {
  const entries = Object.entries(tags);
  if (entries.length === 0) return null;
  return (
    <section aria-labelledby="tags">
      <h2 id="tags">Tags</h2>
      <dl class="facts">
        {entries.map(([name, value]) => <Fact name={name}>{value}</Fact>)}
      </dl>
    </section>
  );
}

/** Rows that are shown; a job has seldom more. */
const mostShards = 200;

function Shards({ shards }: { readonly shards: readonly ShardEntry[] }) {
  if (shards.length === 0) return null;
  const hidden = shards.length - mostShards;
  return (
    <section aria-labelledby="shards">
      <h2 id="shards">Shards</h2>
      <table class="cards">
        <caption class="hidden">Batches that the job runs as</caption>
        <thead>
          <tr>
            <th scope="col">Shard</th>
            <th scope="col">Records</th>
            <th scope="col">Account</th>
            <th scope="col">State</th>
            <th scope="col">Batch</th>
            <th scope="col">Reason</th>
          </tr>
        </thead>
        <tbody>{shards.slice(0, mostShards).map((shard) => <ShardRow shard={shard} />)}</tbody>
      </table>
      {hidden > 0 && <Notice>{`${count(hidden)} further shards are not shown.`}</Notice>}
    </section>
  );
}

function ShardRow({ shard }: { readonly shard: ShardEntry }) {
  const { n, round = 0, records, account, provider, batch, end, waitsFor } = shard;
  return (
    <tr>
      <th scope="row" data-label="Shard">{round === 0 ? `${n}` : `${n} (round ${round})`}</th>
      <td data-label="Records">{count(records)}</td>
      <td data-label="Account">{provider === undefined ? account : `${account} at ${provider}`}</td>
      <td data-label="State">
        {end ? <State status={end.status} /> : batch === undefined ? "waits" : "runs"}
      </td>
      <td data-label="Batch">{batch ?? ""}</td>
      <Reason text={end?.message ?? waitsFor} />
    </tr>
  );
}

function Actions(
  { request, job, own }: {
    readonly request: PageRequest;
    readonly job: JobEntry;
    readonly own: OwnReach;
  },
) {
  if (request.principal.readOnly) return null;
  const over = isTerminal(job.status);
  const { success = 0, total = 0 } = job.counts ?? {};
  const hasFailed = success < total;
  if (over && !hasFailed) return null;
  const why = over ? whyNotAgain(job, own.reach.provider.name) : undefined;
  if (why !== undefined) {
    return (
      <p class="quiet">
        {`Its failed records cannot be run again from here: ${why}. ${toDoInstead}.`}
      </p>
    );
  }
  return (
    <section aria-label="Actions" class="actions">
      <form method="post" action={over ? paths.rerun : paths.stop}>
        <FormToken request={request} />
        <input type="hidden" name="tenant" value={own.tenant} />
        <input type="hidden" name="provider" value={own.reach.provider.name} />
        <input type="hidden" name="id" value={job.id} />
        <button type="submit" data-name="action">
          {over ? "Run failed records again" : "Stop the job"}
        </button>
      </form>
    </section>
  );
}
