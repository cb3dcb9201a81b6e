/** The addresses that a configuration has the gateway call, each with the name of its setting. */
import type { Config } from "./config.ts";
import { credentialEndpoints, usesCredentialChain } from "./egress.ts";
import { endpointVariable, type Env } from "./providers.ts";

/** An address that the gateway calls. */
export interface Upstream {
  /** Of the variable or the setting, as errors show it. */
  readonly name: string;
  readonly url: string;
}

const providerSettings = ["baseUrl", "s3Endpoint", "bedrockEndpoint"] as const;

/** Every address that the file or the environment names; those of AWS and of providers are left out. */
export function upstreamsOf(
  config: Pick<Config, "providers" | "events">,
  env: Env,
): readonly Upstream[] {
  const found: Upstream[] = [];
  for (const provider of config.providers) {
    for (const setting of providerSettings) {
      const url = provider[setting];
      if (url === undefined) continue;
      const place = `providers.${provider.name}.${setting}`;
      const variable = endpointVariable(provider, setting);
      const isVariable = variable !== undefined && Boolean(env(variable));
      found.push({ name: isVariable ? `${variable} (${place})` : place, url });
    }
  }
  const variables = [
    ...(config.events?.eventBridge ? ["AWS_ENDPOINT_URL_EVENTBRIDGE"] : []),
    ...(usesCredentialChain(config, env) ? credentialEndpoints : []),
  ];
  for (const name of variables) {
    const url = env(name);
    if (url && URL.canParse(url)) found.push({ name, url });
  }
  return found;
}
