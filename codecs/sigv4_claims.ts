/** What a request claims about its SigV4 signature: scope, time, and the signature itself. */

/** The only algorithm of SigV4 that clients in the field use. */
export const algorithm = "AWS4-HMAC-SHA256";

/** What a signing key is good for. */
export interface Scope {
  /** `yyyymmdd` */
  readonly date: string;
  readonly region: string;
  /** `s3`, `bedrock` */
  readonly service: string;
}

/** What `X-Amz-Credential` or the Credential of an Authorization header says. */
export interface CredentialScope extends Scope {
  readonly accessKeyId: string;
}

/** A SigV4 Authorization header, or the same facts of a presigned query. */
export interface Authorization extends CredentialScope {
  /** Lower case, in the client's order. */
  readonly signedHeaders: readonly string[];
  /** 64 lower-case hex digits. */
  readonly signature: string;
}

/** The SigV4 parameters of a presigned query. */
export interface PresignedAuthorization extends Authorization {
  /** `yyyymmddThhmmssZ` */
  readonly timestamp: string;
  readonly expiresSeconds: number;
}

/** A scope as it is signed and sent: `20240102/us-west-2/s3/aws4_request`. */
export function scopeText({ date, region, service }: Scope): string {
  return `${date}/${region}/${service}/aws4_request`;
}

/** A time as SigV4 writes it: `20240102T030405Z`. */
export function formatTimestamp(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d+/g, "");
}

/** Reads `20240102T030405Z`; undefined if it is not of this form or no such time exists. */
export function parseTimestamp(text: string): Date | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(date.getTime()) || formatTimestamp(date) !== text ? undefined : date;
}

/**
 * Returns when a request was signed, as `yyyymmddThhmmssZ`: `x-amz-date`, else `date` in either
 * form (botocore drops `X-Amz-Date` where its caller set `Date`). undefined where neither is a
 * time.
 */
export function requestTimestamp(headers: Headers): string | undefined {
  const text = headers.get("x-amz-date") ?? headers.get("date");
  if (text === null) return undefined;
  if (parseTimestamp(text) !== undefined) return text;
  const time = / GMT$/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(time) ? undefined : formatTimestamp(new Date(time));
}

/** Reads `AKID/20240102/us-west-2/s3/aws4_request`; undefined if it is not of this form. */
export function parseCredential(text: string): CredentialScope | undefined {
  const parts = /^([!-+\--~]{1,128})\/(\d{8})\/([\w-]{1,64})\/([\w-]{1,64})\/aws4_request$/
    .exec(text);
  if (parts === null) return undefined;
  const [, accessKeyId = "", date = "", region = "", service = ""] = parts;
  return { accessKeyId, date, region, service };
}

/** The order in which every SDK writes it; in one look, for this is on the way of every request. */
const usual = new RegExp(
  `^${algorithm} Credential=([^\\s,]+), ?SignedHeaders=([^\\s,]+), ?Signature=([^\\s,]+)$`,
);

/**
 * Reads an Authorization header of SigV4's form, with or without a space after its commas (minio
 * leaves it out). undefined if it is anything else, two headers in one included.
 */
export function parseAuthorization(header: string): Authorization | undefined {
  const [, credential, names, signature] = usual.exec(header) ?? [];
  if (credential !== undefined) return authorization(credential, names, signature);
  const start = `${algorithm} `;
  if (!header.startsWith(start)) return undefined;
  const parts = new Map<string, string>();
  for (const part of header.slice(start.length).split(",")) {
    const [, name, value] = /^ *(Credential|SignedHeaders|Signature)=(\S*) *$/.exec(part) ?? [];
    if (name === undefined || value === undefined || parts.has(name)) return undefined;
    parts.set(name, value);
  }
  return authorization(
    parts.get("Credential"),
    parts.get("SignedHeaders"),
    parts.get("Signature"),
  );
}

/**
 * Reads the SigV4 parameters of a presigned query; undefined where one is missing, repeated or
 * malformed. Whether it has expired, and whether 604,800 seconds are kept, is for the caller to say.
 *
 * @param query As {@linkcode parseRawQuery} gives it.
 */
export function parsePresigned(
  query: readonly (readonly [string, string])[],
): PresignedAuthorization | undefined {
  const value = (name: string) => {
    const values = query.filter((pair) => pair[0] === name);
    return values.length === 1 ? values[0]?.[1] : undefined;
  };
  const known = authorization(
    value("X-Amz-Credential"),
    value("X-Amz-SignedHeaders"),
    value("X-Amz-Signature"),
  );
  const timestamp = value("X-Amz-Date") ?? "";
  const expires = value("X-Amz-Expires") ?? "";
  if (known === undefined || value("X-Amz-Algorithm") !== algorithm) return undefined;
  if (parseTimestamp(timestamp) === undefined || !/^\d{1,9}$/.test(expires)) return undefined;
  return { ...known, timestamp, expiresSeconds: Number(expires) };
}

function authorization(
  credential: string | undefined,
  names: string | undefined,
  signature: string | undefined,
): Authorization | undefined {
  const scope = credential === undefined ? undefined : parseCredential(credential);
  if (scope === undefined || names === undefined || signature === undefined) return undefined;
  // Headers.get throws on a name that no header can have.
  if (!/^[a-z0-9!#$%&'*+.^_`|~;-]+$/.test(names)) return undefined;
  const signedHeaders = names.split(";");
  if (signedHeaders.includes("")) return undefined;
  // Each repetition would be another copy of its header's value to hash, for anybody who asks.
  if (new Set(signedHeaders).size < signedHeaders.length) return undefined;
  return /^[0-9a-f]{64}$/.test(signature) ? { ...scope, signedHeaders, signature } : undefined;
}
