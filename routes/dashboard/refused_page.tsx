/** Requests that were refused in the last day, so that the reason can be read without the logs. */
import { allowsBucket, allowsProvider } from "../../access/policy.ts";
import type { Principal } from "../context.ts";
import type { Refusal } from "../ops/refusals.ts";
import { answerPage } from "./answer.ts";
import { Ago } from "./format.tsx";
import { Notice, Page } from "./layout.tsx";
import { type PageRequest, paths } from "./request.ts";

/**
 * Answers with the refused requests of the session's tenant, as far as its key may use their buckets and
 * providers, and with all of the key's own; an administrator sees all there are.
 */
export async function refusedPage(request: PageRequest): Promise<Response> {
  const { deps, principal, audit } = request;
  audit.operation = "ListRefusals";
  const seesAll = principal.admin === true || principal.accessKeyId === null;
  const refusals = deps.refusals.recent()
    .filter((one) => seesAll || maySee(principal, one));
  const now = deps.now();
  return await answerPage(
    <Page request={request} title="Refused requests" at={paths.refused}>
      <p class="quiet">The last day, as far as this process answered the requests.</p>
      {refusals.length === 0 ? <Notice>No request was refused.</Notice> : (
        <table class="cards">
          <caption class="hidden">Refused requests, the newest first</caption>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Error</th>
              <th scope="col">Operation</th>
              <th scope="col">Key</th>
              <th scope="col">Tenant</th>
              <th scope="col">Object</th>
              <th scope="col">Provider</th>
              <th scope="col">From</th>
              <th scope="col">Request</th>
            </tr>
          </thead>
          <tbody>{refusals.map((one) => <RefusalRow refusal={one} now={now} />)}</tbody>
        </table>
      )}
    </Page>,
  );
}

function maySee(principal: Principal, refusal: Refusal): boolean {
  const { tenant, accessKeyId, bucket, provider } = refusal;
  if (tenant !== principal.tenant) return false;
  if (accessKeyId === principal.accessKeyId) return true;
  return (bucket === null || allowsBucket(principal, bucket)) &&
    (provider === null || allowsProvider(principal, provider));
}

function RefusalRow({ refusal, now }: { readonly refusal: Refusal; readonly now: number }) {
  const { at, status, errorCode, operation, accessKeyId, tenant } = refusal;
  const { bucket, key, provider, clientAddress, requestId } = refusal;
  return (
    <tr>
      <th scope="row" data-label="When">
        <Ago at={at} now={now} />
      </th>
      <td data-label="Error">{`${status} ${errorCode ?? ""}`}</td>
      <td data-label="Operation">{operation ?? ""}</td>
      <td data-label="Key" class="short">
        {accessKeyId === null ? "" : <code>{accessKeyId}</code>}
      </td>
      <td data-label="Tenant" class="part">{tenant ?? ""}</td>
      <td data-label="Object" class="part">{key ? `${bucket}/${key}` : bucket ?? ""}</td>
      <td data-label="Provider">{provider ?? ""}</td>
      <td data-label="From">{clientAddress ?? ""}</td>
      <td data-label="Request" class="part">
        <code>{requestId}</code>
      </td>
    </tr>
  );
}
