/** Keys: who may use the gateway, until when, and when each was last used. Secrets are never shown. */
import type { KeyFacts } from "../../access/key_service.ts";
import type { Limits } from "../../catalog/limits.ts";
import { refuse } from "../auth/refusals.ts";
import { answerPage } from "./answer.ts";
import { Ago, costText, count, Day, size } from "./format.tsx";
import { Notice, Page } from "./layout.tsx";
import { type PageRequest, paths } from "./request.ts";

/** Answers with all keys, to an administrator only. */
export async function keysPage(request: PageRequest): Promise<Response> {
  const { deps, principal, audit } = request;
  audit.operation = "ListKeys";
  if (principal.accessKeyId !== null && principal.admin !== true) {
    throw refuse("forbidden", "Keys are shown to administrators. Sign in with an admin key");
  }
  const keys = await deps.keys.list();
  const now = deps.now();
  return answerPage(
    <Page request={request} title="Keys" at={paths.keys}>
      {keys.length === 0
        ? <Notice>There is no key yet. Without one only this machine may use the gateway.</Notice>
        : <KeysTable keys={keys} now={now} />}
    </Page>,
  );
}

function KeysTable({ keys, now }: { readonly keys: readonly KeyFacts[]; readonly now: number }) {
  return (
    <table class="cards">
      <caption class="hidden">Access keys</caption>
      <thead>
        <tr>
          <th scope="col">Key</th>
          <th scope="col">Label</th>
          <th scope="col">Tenant</th>
          <th scope="col">May</th>
          <th scope="col">State</th>
          <th scope="col">Last use</th>
          <th scope="col">Expires</th>
          <th scope="col">Used this month</th>
        </tr>
      </thead>
      <tbody>{keys.map((key) => <KeyRow facts={key} now={now} />)}</tbody>
    </table>
  );
}

function KeyRow({ facts, now }: { readonly facts: KeyFacts; readonly now: number }) {
  const { accessKeyId, label, tenant, disabled, lastUsedAt, expiresAt } = facts;
  const isOver = expiresAt !== undefined && Date.parse(expiresAt) <= now;
  return (
    <tr>
      <th scope="row" data-label="Key" class="short">
        <code>{accessKeyId}</code>
      </th>
      <td data-label="Label" class="part">{label ?? ""}</td>
      <td data-label="Tenant" class="part">{tenant}</td>
      <td data-label="May">{rightsOf(facts)}</td>
      <td data-label="State" class="short">
        {disabled
          ? <span class="bad">disabled</span>
          : isOver
          ? <span class="bad">expired</span>
          : <span class="good">active</span>}
      </td>
      <td data-label="Last use" class="short">
        {lastUsedAt === undefined ? "never" : <Ago at={Date.parse(lastUsedAt)} now={now} />}
      </td>
      <td data-label="Expires">
        {expiresAt === undefined ? "never" : <Day at={Date.parse(expiresAt)} />}
      </td>
      <td data-label="Used this month">{limitsOf(facts)}</td>
    </tr>
  );
}

function rightsOf({ admin, readOnly, native, providers, buckets }: KeyFacts): string {
  return [
    admin === true ? "administer" : readOnly ? "read" : "read and write",
    `at ${providers.join(", ")}`,
    ...(buckets ? [`buckets ${buckets.join(", ")}`] : []),
    ...(native ? ["native things"] : []),
  ].join("; ");
}

/** What each limit is a limit of, by their names. */
const limited = {
  maxJobs: "jobs",
  maxRecords: "records",
  maxBytes: "bytes",
  maxCost: "cost",
} as const satisfies Readonly<Record<keyof Limits, string>>;

/** What is taken of each limit, in words. */
const texts: Readonly<
  Record<(typeof limited)[keyof Limits], (taken: number, limit: number) => string>
> = {
  jobs: (taken, limit) => `${count(taken)} of ${count(limit)} jobs`,
  records: (taken, limit) => `${count(taken)} of ${count(limit)} records`,
  bytes: (taken, limit) => `${size(taken)} of ${size(limit)}`,
  cost: (taken, limit) => `${costText(taken)} of ${costText(limit)}`,
};

/** Returns what is used or reserved this month, of what may be. */
function limitsOf(facts: KeyFacts): string {
  const limits = Object.entries(limited).flatMap(([name, of]) => {
    const limit = facts[name as keyof typeof limited];
    if (limit === undefined) return [];
    const taken = (facts.month?.used[of] ?? 0) + (facts.month?.reserved[of] ?? 0);
    return [texts[of](taken, limit)];
  });
  return limits.length === 0 ? "no limits" : limits.join(", ");
}
