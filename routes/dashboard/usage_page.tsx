/** What jobs used and cost, with a chart by day. */
import { QueryError, readQuery } from "../../accounts/query.ts";
import { sumUsage, type UsageSum } from "../../accounts/sum.ts";
import { Failure } from "../../codecs/failure.ts";
import { createBreath } from "../../runtime/breath.ts";
import { answerPage } from "./answer.ts";
import { costText, count } from "./format.tsx";
import { Choice } from "./jobs_page.tsx";
import { Notice, Page } from "./layout.tsx";
import { tenantsOf } from "./reaches.ts";
import { type PageRequest, paths } from "./request.ts";
import { UsageChart } from "./usage_chart.tsx";

/** Answers with the usage of the present month, or of the days that the query names. */
export async function usagePage(request: PageRequest): Promise<Response> {
  const { deps, principal, query, audit, signal } = request;
  audit.operation = "GetUsage";
  const seesAll = principal.admin === true || principal.accessKeyId === null;
  const tenant = seesAll ? query.get("tenant") || undefined : principal.tenant;
  const tenants = seesAll ? await tenantsOf(request) : [];
  const from = query.get("from") || undefined;
  const to = query.get("to") || undefined;
  const ask = (by: string) =>
    sumUsage(deps.usage, readQuery({ from, to, by }, deps.now()), tenant, createBreath({ signal }));
  try {
    const range = readQuery({ from, to }, deps.now());
    const days = (await ask("day")).rows;
    const { rows, unpriced } = await ask("tenant,provider,model");
    return await answerPage(
      <Page request={request} title="Usage" at={paths.usage}>
        <form class="filters" method="get" action={paths.usage} aria-label="Days">
          <label>
            From<input type="date" name="from" value={range.from} />
          </label>
          <label>
            To<input type="date" name="to" value={range.to} />
          </label>
          {seesAll && <Choice label="Tenant" name="tenant" options={tenants} value={tenant} />}
          <button type="submit">Show</button>
        </form>
        <UsageChart from={range.from} to={range.to} days={days} />
        {rows.length === 0
          ? <Notice>No job has ended in these days.</Notice>
          : <UsageTable rows={rows} withTenant={seesAll} />}
        {unpriced.length > 0 && (
          <Notice>{`No price is configured for ${unpriced.join(", ")}.`}</Notice>
        )}
      </Page>,
    );
  } catch (error) {
    if (error instanceof QueryError) throw new Failure("invalid", error.message, { cause: error });
    throw error;
  }
}

function UsageTable(
  { rows, withTenant }: { readonly rows: readonly UsageSum[]; readonly withTenant: boolean },
) {
  return (
    <table class="cards">
      <caption class="hidden">Usage by provider and model</caption>
      <thead>
        <tr>
          <th scope="col">Model</th>
          <th scope="col">Provider</th>
          {withTenant && <th scope="col">Tenant</th>}
          <th scope="col" class="number">Jobs</th>
          <th scope="col" class="number">Records</th>
          <th scope="col" class="number">Failed</th>
          <th scope="col" class="number">Input tokens</th>
          <th scope="col" class="number">Output tokens</th>
          <th scope="col" class="number">Cost</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr>
            <th scope="row" data-label="Model" class="name">{row.model ?? "not known"}</th>
            <td data-label="Provider">{row.provider ?? ""}</td>
            {withTenant && <td data-label="Tenant" class="part">{row.tenant ?? ""}</td>}
            <td data-label="Jobs" class="number">{count(row.jobs)}</td>
            <td data-label="Records" class="number">{count(row.records)}</td>
            <td data-label="Failed" class="number">{count(row.failed)}</td>
            <td data-label="Input tokens" class="number">{count(row.inputTokens)}</td>
            <td data-label="Output tokens" class="number">{count(row.outputTokens)}</td>
            <td data-label="Cost" class="number">{costText(row.cost)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
