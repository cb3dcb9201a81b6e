/** The label `tenant`, which only the tenants have that the configuration names. */

/** Returns the label of a tenant; no label where none is configured, `other` where this one is not. */
export type TenantLabel = (tenant: string | null) => Readonly<Record<string, string>>;

/** What the label says of tenants that are not configured. */
const otherTenant = "other";

/** Makes the label. Each tenant multiplies the number of series, so only configured names have one. */
export function createTenantLabel(configured: readonly string[]): TenantLabel {
  if (configured.length === 0) return () => ({});
  const named = new Set(configured);
  return (tenant) => ({ tenant: tenant !== null && named.has(tenant) ? tenant : otherTenant });
}
