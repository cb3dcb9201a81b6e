/** What tells an operator, or a load balancer, how the gateway is. */
import type { Provider } from "../../providers/provider.ts";

/** What readiness depends on. */
export interface HealthDeps {
  readonly providers: ReadonlyMap<string, Provider>;
  /** Rejects where the catalog does not answer. */
  readonly checkCatalog: () => Promise<void>;
  readonly isDraining: () => boolean;
}

/** `/healthz`: the process serves. */
export function health(): Response {
  return Response.json({ status: "ok" });
}

/** `/readyz`: the catalog answers, and these providers are configured; 503 where it is not ready. */
export async function readiness(deps: HealthDeps): Promise<Response> {
  const catalog = await deps.checkCatalog().then(() => "ok", () => "unavailable");
  const ready = catalog === "ok" && !deps.isDraining();
  const providers = [...deps.providers.values()].map((provider) => ({
    name: provider.name,
    accounts: provider.forwards ? [] : provider.accounts.map((account) => account.name),
  }));
  const body = { status: ready ? "ready" : "not ready", catalog, providers };
  return Response.json(body, { status: ready ? 200 : 503 });
}
