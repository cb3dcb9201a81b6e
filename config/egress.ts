/**
 * The hosts that a configuration needs, for the list that Deno holds the gateway to: whatever a
 * client, a provider's answer or a dependency says, no connection goes anywhere else.
 */
import type { Config } from "./config.ts";
import { defaultBaseUrls, type ProviderSettings } from "../providers/settings.ts";

/** Looks a variable up; undefined where it is not set. */
type Env = (name: string) => string | undefined;

/** What `deno run` takes for a host; another one would keep the gateway from starting at all. */
const hostShape = /^(\[[0-9a-f:.]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?)$/i;

/** Where AWS gives credentials to what runs on a machine of its own, or in a container. */
const instanceMetadata = ["http://169.254.169.254", "http://[fd00:ec2::254]"];
const containerCredentials = "http://169.254.170.2";

/** Variables that put a service which gives credentials at another place than AWS's own. */
export const credentialEndpoints: readonly string[] = [
  "AWS_ENDPOINT_URL",
  "AWS_ENDPOINT_URL_STS",
  "AWS_ENDPOINT_URL_SSO",
  "AWS_ENDPOINT_URL_SSO_OIDC",
  "AWS_ENDPOINT_URL_SIGNIN",
  "AWS_EC2_METADATA_SERVICE_ENDPOINT",
];

/** Every `host:port` that the gateway listens on or calls, as `deno run --allow-net` takes them. */
export function hostsOf(config: Config, env: Env): string[] {
  const hosts = [
    ...listeners(config),
    ...catalogHosts(config),
    ...config.providers.flatMap((provider) => providerHosts(provider)),
    ...eventHosts(config, env),
    ...(usesCredentialChain(config, env) ? chainHosts(config, env) : []),
  ];
  return [...new Set(hosts)];
}

/** The `host:port` of a catalog on another machine. */
export function catalogHosts({ catalog }: Pick<Config, "catalog">): string[] {
  return catalog instanceof URL ? hostOf(catalog.href) : [];
}

/** The `host:port` of each receiver of events. */
function eventHosts({ events, providers }: Config, env: Env): string[] {
  const webhooks = events?.webhooks.flatMap(({ url }) => hostOf(url)) ?? [];
  const name = events?.eventBridge?.provider;
  const provider = providers.find((one) => one.name === name);
  if (provider === undefined) return webhooks;
  const endpoint = env("AWS_ENDPOINT_URL_EVENTBRIDGE");
  return [...webhooks, ...(endpoint ? hostOf(endpoint) : amazonHosts(provider))];
}

/**
 * Returns whether AWS credentials come from somewhere else than two variables: a profile, SSO, a
 * role.
 */
export function usesCredentialChain(config: Pick<Config, "providers">, env: Env): boolean {
  return config.providers.some(({ kind }) => kind === "bedrock") &&
    !env("AWS_ACCESS_KEY_ID") && !env("AWS_SECRET_ACCESS_KEY");
}

function listeners({ host, port, s3Port, adminPort }: Config): string[] {
  const name = host.includes(":") ? `[${host}]` : host;
  if (!hostShape.test(name)) return [];
  return [port, s3Port, adminPort].filter((one) => one !== undefined)
    .map((one) => `${name}:${one}`);
}

function providerHosts(provider: ProviderSettings): string[] {
  const { kind, baseUrl, s3Endpoint, bedrockEndpoint } = provider;
  if (kind !== "bedrock") return hostOf(baseUrl ?? defaultBaseUrls[kind]);
  return [s3Endpoint, bedrockEndpoint].flatMap((endpoint) =>
    endpoint === undefined ? amazonHosts(provider) : hostOf(endpoint)
  );
}

/**
 * Clients sign for the region that they mean, and buckets may be in any, so the hosts of all are
 * needed. Credentials are good in only one partition: China's, or the others.
 */
function amazonHosts({ region }: Pick<ProviderSettings, "region">): string[] {
  if (region === undefined) return ["*.amazonaws.com:443", "*.amazonaws.com.cn:443"];
  return [region.startsWith("cn-") ? "*.amazonaws.com.cn:443" : "*.amazonaws.com:443"];
}

/**
 * Returns the hosts that the AWS default chain may ask, in its order; a machine's own role is the
 * last that it tries.
 */
function chainHosts({ providers }: Config, env: Env): string[] {
  const full = env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const relative = env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const named = credentialEndpoints.map(env).filter((url) => url !== undefined && url !== "");
  const onInstance = !full && !relative && !env("AWS_WEB_IDENTITY_TOKEN_FILE") &&
    env("AWS_EC2_METADATA_DISABLED")?.toLowerCase() !== "true";
  return [
    // STS, and what SSO and `aws login` ask.
    ...providers.filter(({ kind }) => kind === "bedrock").flatMap(amazonHosts),
    "*.signin.aws.amazon.com:443",
    "*.oauth.signin.aws:443",
    ...[...named, full, relative && containerCredentials].flatMap(hostOf),
    ...(onInstance ? instanceMetadata.flatMap(hostOf) : []),
  ];
}

/**
 * The `host:port` of a URL; nothing where it is not an http or https URL, or its host is malformed.
 */
function hostOf(url: string | undefined): string[] {
  if (!url || !URL.canParse(url)) return [];
  const { protocol, hostname, port } = new URL(url);
  if (!/^https?:$/.test(protocol) || !hostShape.test(hostname)) return [];
  return [`${hostname}:${port === "" ? (protocol === "https:" ? 443 : 80) : port}`];
}
