/**
 * Signs requests for the tests: by the text of Amazon's documentation, with nothing of the gateway's
 * own, so that both cannot be wrong in the same way. sign_test.ts compares it with aws4fetch.
 */
import type { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";

/** What `deno task keys add` shows. */
export interface Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bearerToken: string;
}

/** A request as it goes over the wire; texts have one character a byte. */
export interface Wire {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** `host` is among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What is to be signed, and how it differs from the usual. */
export interface Ask extends Partial<Wire> {
  readonly method: string;
  readonly path: string;
  readonly service?: "s3" | "bedrock";
  readonly at?: Date;
  readonly expires?: number | string;
  /** What is signed of the body, where it is not its hash (a presigned link: UNSIGNED-PAYLOAD). */
  readonly payload?: string;
}

const hex = (text: string) => createHash("sha256").update(text, "latin1").digest("hex");
const hmac = (key: string | Buffer, text: string) =>
  createHmac("sha256", key).update(text, "latin1").digest();

const escaped = (text: string) =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** The query's pairs, decoded. */
function pairsOf(query: string): [string, string][] {
  return query.split("&").filter((one) => one !== "").map((piece) => {
    const [name = "", ...value] = piece.split("=");
    return [decodeURIComponent(name), decodeURIComponent(value.join("="))];
  });
}

function canonicalQuery(query: string): string {
  return pairsOf(query).map(([name, value]) => [escaped(name), escaped(value)] as const)
    .sort(([a, x], [b, y]) => a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0)
    .map((pair) => pair.join("=")).join("&");
}

const timeOf = (at: Date) => at.toISOString().replace(/[-:]|\.\d+/g, "");

function signature(
  wire: Wire,
  { service = "s3", at = new Date() }: Pick<Ask, "service" | "at">,
  { secretAccessKey }: Key,
  payload: string,
): string {
  const names = Object.keys(wire.headers).sort();
  const [date, scope] = [timeOf(at), scopeOf(service, at)];
  // Other services escape what is escaped once more, and S3 does not.
  const path = service === "s3" ? wire.path : wire.path.split("/").map(escaped).join("/");
  const canonical = [
    wire.method,
    path,
    canonicalQuery(wire.query),
    ...names.map((name) => `${name}:${wire.headers[name]?.trim().replace(/ +/g, " ")}`),
    "",
    names.join(";"),
    payload,
  ].join("\n");
  const key = signingKey(secretAccessKey, service, date);
  return hmac(key, ["AWS4-HMAC-SHA256", date, scope, hex(canonical)].join("\n")).toString("hex");
}

function signingKey(secretAccessKey: string, service: string, date: string): Buffer {
  let key = hmac(`AWS4${secretAccessKey}`, date.slice(0, 8));
  for (const part of ["us-west-2", service, "aws4_request"]) key = hmac(key, part);
  return key;
}

function scopeOf(service: string, at: Date): string {
  return `${timeOf(at).slice(0, 8)}/us-west-2/${service}/aws4_request`;
}

/** Signs in the Authorization header. Every header that is given is signed. */
export function signHeader(host: string, ask: Ask, key: Key): Wire {
  const { method, path, query = "", body = "", service = "s3", at = new Date() } = ask;
  const payload = ask.payload ?? hex(body);
  const headers: Record<string, string> = { ...ask.headers, host, "x-amz-date": timeOf(at) };
  if (service === "s3") headers["x-amz-content-sha256"] = payload;
  const wire = { method, path, query, headers, body };
  const names = Object.keys(headers).sort().join(";");
  const authorization = `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scopeOf(service, at)}, ` +
    `SignedHeaders=${names}, Signature=${signature(wire, { service, at }, key, payload)}`;
  return { ...wire, headers: { ...headers, authorization } };
}

/** Makes a presigned link of the newer kind. Every header that is given is signed. */
export function signQuery(host: string, ask: Ask, key: Key): Wire {
  const { method, path, query = "", body = "", service = "s3", at = new Date() } = ask;
  const payload = ask.payload ?? (service === "s3" ? "UNSIGNED-PAYLOAD" : hex(body));
  const headers = { ...ask.headers, host };
  const all = [
    query,
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    `X-Amz-Credential=${escaped(`${key.accessKeyId}/${scopeOf(service, at)}`)}`,
    `X-Amz-Date=${timeOf(at)}`,
    `X-Amz-Expires=${ask.expires ?? 600}`,
    `X-Amz-SignedHeaders=${escaped(Object.keys(headers).sort().join(";"))}`,
  ].filter((one) => one !== "").join("&");
  const wire = { method, path, query: all, headers, body };
  const signed = signature(wire, { service, at }, key, payload);
  return { ...wire, query: `${all}&X-Amz-Signature=${signed}` };
}

/** A body in signed chunks. */
export interface SignedChunks {
  /** Each chunk as it goes over the wire, the last of no bytes too. */
  readonly chunks: readonly string[];
  /** The trailer with its signature, or the empty line. */
  readonly end: string;
}

/** Signs the chunks of a request's body, and its trailer (`name:value`). */
export function signChunks(
  { headers }: Wire,
  { secretAccessKey }: Key,
  parts: readonly string[],
  trailer?: string,
): SignedChunks {
  const date = headers["x-amz-date"] ?? "";
  const scope = `${date.slice(0, 8)}/us-west-2/s3/aws4_request`;
  const key = signingKey(secretAccessKey, "s3", date);
  let last = /Signature=([0-9a-f]{64})/.exec(headers["authorization"] ?? "")?.[1] ?? "";
  const sign = (...text: string[]) =>
    last = hmac(key, [...text.slice(0, 1), date, scope, last, ...text.slice(1)].join("\n"))
      .toString("hex");
  const chunks = [...parts, ""].map((part) => {
    const signed = sign("AWS4-HMAC-SHA256-PAYLOAD", hex(""), hex(part));
    return `${part.length.toString(16)};chunk-signature=${signed}\r\n${
      part === "" ? "" : `${part}\r\n`
    }`;
  });
  if (trailer === undefined) return { chunks, end: "\r\n" };
  const signed = sign("AWS4-HMAC-SHA256-TRAILER", hex(`${trailer}\n`));
  return { chunks, end: `${trailer}\r\nx-amz-trailer-signature:${signed}\r\n\r\n` };
}

/** What SigV2 signs of a query, of what these tests send. */
const signedV2 = ["delete", "location", "partNumber", "uploadId", "uploads", "versions"];
const mount = "/bedrock/files";

/** Makes a presigned link of the older kind. */
export function signV2(host: string, ask: Ask, key: Key): Wire {
  const { method, path, query = "", body = "", at = new Date() } = ask;
  const expires = ask.expires ?? Math.floor(at.getTime() / 1000) + 600;
  const headers: Record<string, string> = { ...ask.headers, host };
  // botocore moves such headers to the query once it has signed them as headers.
  const lines = [...Object.entries(headers), ...pairsOf(query)]
    .filter(([name]) => name.startsWith("x-amz-")).map((pair) => `${pair.join(":")}\n`).sort();
  const below = path.startsWith(`${mount}/`) && path !== `${mount}/`
    ? path.slice(mount.length)
    : path;
  const named = query.split("&").filter((one) => signedV2.includes(one.split("=")[0] ?? "")).sort();
  const resource = named.length === 0
    ? below
    : `${below}?${named.map((one) => decodeURIComponent(one)).join("&")}`;
  const text = [
    method,
    headers["content-md5"] ?? "",
    headers["content-type"] ?? "",
    expires,
    `${lines.join("")}${resource}`,
  ].join("\n");
  const signed = createHmac("sha1", key.secretAccessKey).update(text, "latin1").digest("base64");
  const all = [
    query,
    `AWSAccessKeyId=${key.accessKeyId}`,
    `Signature=${escaped(signed)}`,
    `Expires=${expires}`,
  ].filter((one) => one !== "").join("&");
  return { method, path, query: all, headers, body };
}

/** Bears a token. */
export function bear(host: string, ask: Ask, { bearerToken }: Key): Wire {
  const { method, path, query = "", body = "" } = ask;
  const headers = { ...ask.headers, host, authorization: `Bearer ${bearerToken}` };
  return { method, path, query, headers, body };
}

/** Every way to prove who sends a request, by its name. */
export const ways = { header: signHeader, link: signQuery, oldLink: signV2, bearer: bear } as const;

/** The name of a way. */
export type Way = keyof typeof ways;
