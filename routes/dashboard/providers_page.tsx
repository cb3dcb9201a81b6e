/** Providers, their accounts, and how these fare. */
import { allowsProvider } from "../../access/policy.ts";
import { accountsOf } from "../../metrics/metrics.ts";
import type { SetAside } from "../../providers/provider.ts";
import { answerPage } from "./answer.ts";
import { Ago, count } from "./format.tsx";
import { Page } from "./layout.tsx";
import { type PageRequest, paths } from "./request.ts";

/** Answers with the providers that the session may use, and what is wrong with the gateway itself. */
export async function providersPage(request: PageRequest): Promise<Response> {
  const { deps, principal, audit } = request;
  audit.operation = "ListProviders";
  const catalog = await deps.checkCatalog().then(() => "ok", () => "does not answer");
  const disks = Object.entries(await deps.checkDisks?.() ?? {});
  const waiting = deps.jobs.waiting();
  const rows = [...deps.providers.values()]
    .filter(({ name }) => allowsProvider(principal, name))
    .flatMap((provider) =>
      accountsOf(provider).map(({ name, health }, at) => ({
        provider: provider.name,
        account: name,
        aside: health?.setAside(),
        waiting: at === 0 ? waiting.get(provider.name) ?? 0 : undefined,
      }))
    );
  return answerPage(
    <Page request={request} title="Providers" at={paths.providers}>
      <dl class="facts">
        <div>
          <dt>Catalog</dt>
          <dd class={catalog === "ok" ? "good" : "bad"}>{catalog}</dd>
        </div>
        <div>
          <dt>Disk</dt>
          <dd class={disks.length === 0 ? "good" : "bad"}>
            {disks.length === 0 ? "ok" : disks.map(([name, why]) => `${name}: ${why}`).join("; ")}
          </dd>
        </div>
      </dl>
      <h2 id="accounts">Accounts</h2>
      <table class="cards" aria-labelledby="accounts">
        <thead>
          <tr>
            <th scope="col">Provider</th>
            <th scope="col">Account</th>
            <th scope="col">Health</th>
            <th scope="col" class="number">Batches waiting</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => <AccountRow {...row} now={deps.now()} />)}
        </tbody>
      </table>
    </Page>,
  );
}

/** An account of a provider, as the table shows it. */
interface Account {
  readonly provider: string;
  readonly account: string;
  readonly aside: SetAside | undefined;
  /** Only in the first row of a provider. */
  readonly waiting: number | undefined;
}

function AccountRow(
  { provider, account, aside, waiting, now }: Account & { readonly now: number },
) {
  return (
    <tr>
      <th scope="row" data-label="Provider">{provider}</th>
      <td data-label="Account">{account}</td>
      <td data-label="Health">
        {aside
          ? (
            <span class="bad">
              {`set aside because ${aside.because}, tried again `}
              <Ago at={aside.until.getTime()} now={now} />
            </span>
          )
          : <span class="good">ok</span>}
      </td>
      <td data-label="Batches waiting" class="number">
        {waiting === undefined ? "" : count(waiting)}
      </td>
    </tr>
  );
}
