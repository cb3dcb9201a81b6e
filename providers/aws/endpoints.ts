/** Where the requests of a region go. */
import { isRegion } from "../../codecs/arn.ts";
import { Failure } from "../../codecs/failure.ts";
import type { ForwardRequest } from "../provider.ts";

/** One service in one region. */
export interface Endpoint {
  /** Scheme, host and port, such as `https://s3.us-west-2.amazonaws.com`. */
  readonly origin: string;
  /** As it is signed: without the scheme's own port. */
  readonly host: string;
  /** Path before every request's own, without a slash at its end; mostly empty. */
  readonly prefix: string;
  readonly region: string;
}

/** Finds a service's endpoint; `region` is the one that the client signed for. */
export type FindEndpoint = (
  service: ForwardRequest["service"],
  region: string | undefined,
) => Endpoint;

/** Settings of an AWS provider. */
export interface EndpointSettings {
  readonly name: string;
  /** Used where the client's request names no region. */
  readonly region?: string | undefined;
  /** In place of AWS's own hosts; may have a path. */
  readonly s3Endpoint?: string | undefined;
  readonly bedrockEndpoint?: string | undefined;
}

/**
 * Prefers the client's region to the configured one: buckets and jobs live in regions, and the
 * client signs for the one that it means.
 *
 * A region enters a host name, so one that is not of a region's form throws `invalid`; so does a
 * request without any region.
 *
 * @throws TypeError for a configured endpoint that is not an http or https URL.
 */
export function createEndpoints(settings: EndpointSettings): FindEndpoint {
  const configured: Record<ForwardRequest["service"], Omit<Endpoint, "region"> | undefined> = {
    s3: parse(settings.s3Endpoint),
    bedrock: parse(settings.bedrockEndpoint),
  };
  return (service, clientRegion) => {
    const region = clientRegion ?? settings.region;
    if (region === undefined) {
      throw new Failure(
        "invalid",
        `The request names no AWS region and provider "${settings.name}" has none configured. ` +
          "Set AWS_REGION or the provider's region.",
      );
    }
    if (!isRegion(region)) {
      throw new Failure(
        "invalid",
        "The region that the request was signed for is not of an AWS region's form. " +
          "Sign for one such as us-east-1.",
        { s3: "AuthorizationHeaderMalformed" },
      );
    }
    return { ...configured[service] ?? amazon(service, region), region };
  };
}

function amazon(service: string, region: string): Omit<Endpoint, "region"> {
  const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  const host = `${service}.${region}.${domain}`;
  return { origin: `https://${host}`, host, prefix: "" };
}

function parse(endpoint: string | undefined): Omit<Endpoint, "region"> | undefined {
  if (endpoint === undefined) return undefined;
  const url = new URL(endpoint);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new TypeError(`Cannot use endpoint ${url.protocol}: it must be an http or https URL`);
  }
  return { origin: url.origin, host: url.host, prefix: url.pathname.replace(/\/+$/, "") };
}
