/**
 * Which service a client believes it talks to. A client with a wrong endpoint gets an answer that it
 * can read, with the URL to use, in place of a bare 404.
 */
import { Failure } from "../codecs/failure.ts";
import { parseAuthorization, parseCredential } from "../codecs/sigv4_claims.ts";
import { parseRawQuery } from "../codecs/uri.ts";
import type { Service } from "./auth/credential_proof.ts";
import { hostname, type Target } from "./target.ts";

/** A service that clients have SDKs for. */
export type RequestedService = "s3" | "bedrock";

/** Services as tools and SDKs name them in the user agent (captured 2026-11). */
const userAgents: readonly (readonly [RequestedService, RegExp])[] = [
  [
    "s3",
    /\bapi\/s3\b|\bcommand[#/]s3(?:api)?\b|\bS3Manager\b|\b(?:rclone|s3cmd|s5cmd|s3fs|goofys)\b/,
  ],
  ["s3", /\bminio\b|\bcyberduck\b/i],
  ["bedrock", /\bapi\/bedrock\b|\bcommand[#/]bedrock\b/],
];

/** Paths of the Bedrock batch API, wherever they were put. */
const bedrockPath = /\/(?:model-invocation-jobs?(?:\/|$)|listTagsForResource$|(?:un)?tagResource$)/;

/**
 * The service that is meant: by the scope of a signature in a header or a link, by a bearer token
 * for a path of Bedrock's, else by the user agent. undefined where it is not known.
 */
function requestedService({ headers }: Request, target: Target): RequestedService | undefined {
  const authorization = headers.get("authorization");
  if (authorization !== null) {
    if (/^AWS /.test(authorization)) return "s3";
    if (/^bearer /i.test(authorization)) {
      return bedrockPath.test(target.path) ? "bedrock" : byUserAgent(headers);
    }
    return known(parseAuthorization(authorization)?.service) ?? byUserAgent(headers);
  }
  if (/(?:^|&)AWSAccessKeyId=/i.test(target.query)) return "s3";
  if (!/(?:^|&)X-Amz-Credential=/i.test(target.query)) return byUserAgent(headers);
  const credential = parseRawQuery(target.query)
    .find(([name]) => name.toLowerCase() === "x-amz-credential")?.[1];
  return known(parseCredential(credential ?? "")?.service) ?? byUserAgent(headers);
}

/**
 * The service that a client looks for at the endpoint of another one. undefined for
 * a client that is right, or that is not known.
 *
 * @param service What answers at the request's path.
 */
export function lostService(
  request: Request,
  target: Target,
  service: Service,
): RequestedService | undefined {
  const requested = requestedService(request, target);
  if (requested === undefined || requested === service) return undefined;
  // Signed for Bedrock, and for no path of Bedrock's: S3 says what is wrong with the signature.
  if (service === "s3" && !bedrockPath.test(target.path)) return undefined;
  return requested;
}

function byUserAgent(headers: Headers): RequestedService | undefined {
  const text = headers.get("user-agent") ?? "";
  return userAgents.find(([, form]) => form.test(text))?.[0];
}

function known(service: string | undefined): RequestedService | undefined {
  return service === "s3" || service === "bedrock" ? service : undefined;
}

/** The ports of the gateway's listeners; `s3` is the one with S3 at its root. */
export interface Ports {
  readonly main: string;
  readonly s3?: string | undefined;
}

/**
 * The URL of a path of the main listener, as the client may reach it: under the host that it used,
 * with another port where it came to the listener of S3 at the root.
 */
export function mainUrl(request: Request, target: Target, path: string, ports: Ports): string {
  const scheme = request.url.startsWith("https:") ? "https" : "http";
  const isRoot = ports.s3 !== undefined && target.host.endsWith(`:${ports.s3}`);
  const host = isRoot ? `${hostname(target.host)}:${ports.main}` : target.host;
  return `${scheme}://${host}${path}`;
}

const clients: Readonly<Record<RequestedService, string>> = { s3: "S3", bedrock: "Bedrock" };

/** Says to a client of a service where that service is. */
export function wrongEndpoint(service: RequestedService, url: string): Failure {
  return new Failure(
    "invalid",
    `The ${clients[service]} API is not at this path. Set the endpoint URL of the ` +
      `${clients[service]} client to ${url} and send the request again`,
    { s3: "InvalidRequest", bedrock: "UnknownOperationException" },
  );
}
