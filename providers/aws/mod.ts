/** Amazon S3 and Amazon Bedrock, reached with the gateway's own credentials. */
import { createHealth } from "../account_health.ts";
import type { ForwardingProvider } from "../provider.ts";
import type { ProviderDeps, ProviderSettings } from "../settings.ts";
import { withConverse } from "./converse.ts";
import { createCredentials } from "./credentials.ts";
import { createEndpoints } from "./endpoints.ts";
import { createForward } from "./forward.ts";
import { withPatience } from "./patience.ts";

/** Name of the one account of an AWS provider in the log and in `/readyz`. */
const credentialsAccount = "default";

/**
 * Makes what forwards requests to AWS, or to what stands in its place.
 *
 * @throws TypeError where a configured endpoint is not an http or https URL.
 */
export function createAws(settings: ProviderSettings, deps: ProviderDeps): ForwardingProvider {
  const { name } = settings;
  const { env = () => undefined, fetch, now, uptime, uploader, hop } = deps;
  const findEndpoint = createEndpoints(settings);
  const credentials = createCredentials({ name, env, now, ...(uptime && { uptime }) });
  const health = createHealth(name, credentialsAccount, {
    now,
    reasons: { key: "AWS refuses the gateway's own credentials, or there are none" },
    ...(uptime && { uptime }),
    ...(deps.warn && { warn: deps.warn }),
  });
  const forwardDeps = {
    name,
    findEndpoint,
    credentials,
    refused: credentials.refused,
    fetch,
    uploader,
    now,
    health,
    ...(uptime && { uptime }),
    ...(hop !== undefined && { hop }),
  };
  return {
    name,
    health,
    forward: withPatience(
      withConverse(createForward(forwardDeps)),
      name,
      deps.timeouts,
    ),
  };
}
