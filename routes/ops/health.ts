/** Reports on the gateway for operators and load balancers. */
import type { Account, Provider } from "../../providers/provider.ts";
import { answerText } from "../text_answer.ts";

/** Dependencies of the readiness report. */
export interface HealthDeps {
  readonly providers: ReadonlyMap<string, Provider>;
  /** Rejects where the catalog does not answer. */
  readonly checkCatalog: () => Promise<void>;
  /** What is wrong with the disks that the gateway writes to, by what is kept there. */
  readonly checkDisks?: () => Promise<Readonly<Record<string, string>>>;
  readonly isDraining: () => boolean;
}

/** `/healthz`: the process serves. */
export function health(): Response {
  return answerStatus({ status: "ok" }, 200);
}

/**
 * `/readyz`: the catalog answers, there is room on disk, and these providers are configured; 503
 * where it is not ready. A provider whose accounts are all set aside makes no gateway unready: it
 * serves what the catalog holds and the other providers, and no other gateway would fare better with
 * the same keys. The body reports it.
 */
export async function readiness(deps: HealthDeps): Promise<Response> {
  const catalog = await deps.checkCatalog().then(() => "ok", () => "unavailable");
  const disks = await deps.checkDisks?.() ?? {};
  const isRoomy = Object.keys(disks).length === 0;
  const ready = catalog === "ok" && isRoomy && !deps.isDraining();
  const providers = [...deps.providers.values()].map((provider) => ({
    name: provider.name,
    accounts: provider.stores?.accounts.map((account) => account.name) ?? [],
    ...statesOf(accountsOf(provider)),
  }));
  const disk = isRoomy ? "ok" : disks;
  const body = { status: ready ? "ready" : "not ready", catalog, disk, providers };
  return answerStatus(body, ready ? 200 : 503);
}

/** The accounts of a provider; credentials that requests are forwarded with count as one. */
export function accountsOf(
  { forward, stores }: Provider,
): readonly Pick<Account, "name" | "health">[] {
  const own = forward?.health ? [{ name: "default", health: forward.health }] : [];
  return [...own, ...stores?.accounts ?? []];
}

/** How accounts fare, by their names, and whether any of them is well. */
function statesOf(accounts: readonly Pick<Account, "name" | "health">[]) {
  if (accounts.length === 0) return {};
  const states = accounts.map(({ name, health }): [string, string] => {
    const aside = health?.setAside();
    const state = aside
      ? `set aside until ${aside.until.toISOString()} because ${aside.because}`
      : "ok";
    return [name, state];
  });
  const isWell = states.some(([, state]) => state === "ok");
  return {
    status: isWell ? "ok" : "every account is set aside",
    states: Object.fromEntries(states),
  };
}

function answerStatus(body: unknown, status: number): Response {
  return answerText(JSON.stringify(body), { "content-type": "application/json" }, status);
}
