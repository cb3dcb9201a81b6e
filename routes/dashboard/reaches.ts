/** Whose things a page shows: one reach for each tenant and provider that the session may see. */
import { allowsProvider } from "../../access/policy.ts";
import { Failure } from "../../codecs/failure.ts";
import type { ForwardingProvider, StoringProvider } from "../../providers/provider.ts";
import type { Reach } from "../../reach/reach.ts";
import { reachElsewhere, reachOf } from "../authorize.ts";
import { refuse } from "../auth/refusals.ts";
import type { Principal } from "../context.ts";
import type { DashboardDeps, PageRequest } from "./request.ts";

/** Tenants that are shown at one time; with more, one is to be chosen. */
export const mostTenants = 50;

/** Tenants that a session may see. */
export async function tenantsOf(
  { principal, deps }: Pick<PageRequest, "principal" | "deps">,
): Promise<readonly string[]> {
  if (principal.admin !== true) return [principal.tenant];
  const tenants = new Set([principal.tenant, ...await deps.records.tenants()]);
  return [...tenants].sort();
}

/** Providers that store files and that a session may use, by name. */
function storingProviders(
  { principal, deps }: Pick<PageRequest, "principal" | "deps">,
): readonly StoringProvider[] {
  return [...deps.providers.values()].flatMap(({ name, stores }) =>
    stores && allowsProvider(principal, name) ? [stores] : []
  );
}

/** Providers that forward to services of their own, whose things are not in the catalog. */
export function forwardingProviders(
  { principal, deps }: Pick<PageRequest, "principal" | "deps">,
): readonly string[] {
  return [...deps.providers.values()].flatMap(({ name, forward }) =>
    forward && allowsProvider(principal, name) ? [name] : []
  );
}

/** All providers that a session may choose, by name. */
export function providerNames(request: Pick<PageRequest, "principal" | "deps">): readonly string[] {
  const own = storingProviders(request).map(({ name }) => name);
  return [...new Set([...own, ...forwardingProviders(request)])];
}

/**
 * The provider of this name that requests are forwarded to, as those of the APIs are; undefined for
 * any other. Throws a refusal where the session may not use it.
 */
export function forwardingAt(
  { principal, deps }: Pick<PageRequest, "principal" | "deps">,
  name: string | undefined,
): ForwardingProvider | undefined {
  const provider = deps.providers.get(name ?? "");
  if (provider?.forward && !allowsProvider(principal, provider.name)) throw notAllowed(provider);
  return provider?.forward;
}

function notAllowed({ name }: { readonly name: string }): Failure {
  return refuse("forbidden", `The access key may not use the provider ${name}`);
}

/** One reach of a session, and the principal that it stands for. */
export interface OwnReach {
  readonly tenant: string;
  readonly principal: Principal;
  readonly reach: Reach;
}

/**
 * The reaches of a session, those of one tenant or provider where these are given. Native things
 * belong to no tenant: they are shown once, with the first one.
 */
export async function reachesOf(
  request: Pick<PageRequest, "principal" | "deps">,
  wanted: { readonly tenant?: string | undefined; readonly provider?: string | undefined },
): Promise<readonly OwnReach[]> {
  const all = await tenantsOf(request);
  const tenants = all.filter((one) => !wanted.tenant || one === wanted.tenant)
    .slice(0, mostTenants);
  const providers = storingProviders(request)
    .filter(({ name }) => !wanted.provider || name === wanted.provider);
  return tenants.flatMap((tenant, at) => {
    const principal = {
      ...request.principal,
      tenant,
      native: request.principal.native && at === 0,
    };
    return providers.map((provider) => ownReach(request.deps, principal, provider));
  });
}

/**
 * The reach of a session for one tenant at one provider. Throws a refusal where it may not see the
 * tenant or the provider, and `not-found` for a provider that is not configured or keeps nothing.
 */
export function reachAt(
  { principal, deps }: Pick<PageRequest, "principal" | "deps">,
  tenant: string | undefined,
  name: string | undefined,
): OwnReach {
  const own = tenant === undefined || tenant === "" ? principal.tenant : tenant;
  if (own !== principal.tenant && principal.admin !== true) {
    throw refuse("forbidden", "The access key may only see its own tenant");
  }
  const provider = deps.providers.get(name ?? "");
  if (provider && !allowsProvider(principal, provider.name)) {
    throw notAllowed(provider);
  }
  if (!provider?.stores) {
    throw new Failure("not-found", "The page names no provider whose things are kept here");
  }
  return ownReach(deps, { ...principal, tenant: own }, provider.stores);
}

function ownReach(
  deps: Pick<DashboardDeps, "providers" | "buckets">,
  principal: Principal,
  provider: StoringProvider,
): OwnReach {
  const reach = { ...reachElsewhere(principal, deps), ...reachOf(principal, provider) };
  return { tenant: principal.tenant, principal, reach };
}
