/** Amazon S3 and Amazon Bedrock, reached with the gateway's own credentials. */
import type { ForwardingProvider } from "../provider.ts";
import type { ProviderDeps, ProviderSettings } from "../settings.ts";
import { withConverse } from "./converse.ts";
import { createCredentials } from "./credentials.ts";
import { createEndpoints } from "./endpoints.ts";
import { createForward } from "./forward.ts";
import { withPatience } from "./patience.ts";

/**
 * Makes a provider that forwards to AWS, or to what stands in its place.
 *
 * @throws TypeError where a configured endpoint is not an http or https URL.
 */
export function createAws(settings: ProviderSettings, deps: ProviderDeps): ForwardingProvider {
  const { name } = settings;
  const { env = () => undefined, fetch, now, uptime, uploader } = deps;
  const findEndpoint = createEndpoints(settings);
  const credentials = createCredentials({ name, env, now, ...(uptime && { uptime }) });
  return {
    forwards: true,
    name,
    forward: withPatience(
      withConverse(createForward({ name, findEndpoint, credentials, fetch, uploader, now })),
      name,
      deps.timeouts,
    ),
  };
}
