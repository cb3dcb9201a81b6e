/** What an operator should see of a configuration when the gateway starts; it holds no secret. */
import { denoVersion, version } from "../runtime/version.ts";
import type { Config } from "./config.ts";

/** Facts for the log's line about the start. */
export function startFacts(
  { providers, catalog, data, file }: Pick<Config, "providers" | "catalog" | "data" | "file">,
): Readonly<Record<string, unknown>> {
  const accounts = providers.map(({ name, kind, accounts }) => [
    name,
    accounts.length === 0 ? [kind] : accounts.map((one) => one.name),
  ]);
  return {
    version,
    deno: denoVersion,
    providers: Object.fromEntries(accounts),
    catalog: catalog === "file" ? `${data}/catalog.kv` : `${catalog}`,
    configuration: file ?? null,
  };
}
