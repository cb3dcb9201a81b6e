/**
 * What AWS's error documents must hide. S3 quotes what it could not verify: the string that was
 * signed, the session token among its headers (SignatureDoesNotMatch, also as bytes in hexadecimal),
 * and an expired token itself (`Token-0` of ExpiredToken). That is the gateway's, not its client's.
 */
import { bounds } from "../../runtime/bounds.ts";
import { pacedBody, paceOf } from "../../runtime/pace.ts";
import type { Credentials } from "../../codecs/sigv4.ts";
import { readAtMost, slowUpstream } from "../body.ts";

/** S3's documents are a few KB; a token in hexadecimal makes one some ten KB longer. */
const maxErrorBytes = 1024 * 1024;
const masked = "[masked]";
const pace = paceOf(bounds.callMilliseconds, bounds.callMilliseconds);

/**
 * The upstream's answer with the gateway's credentials masked in it, if it is an error, and without
 * the place that a redirect names: no client shall go around the gateway.
 */
export async function withoutCredentials(
  response: Response,
  credentials: Credentials,
): Promise<Response> {
  const { status, statusText, body } = response;
  if (status < 300 || body === null) return response;
  // Of a document that does not come to its end the client gets what came in time.
  const inTime = pacedBody(body, { sender: { pace, failure: slowUpstream } });
  const bytes = await readAtMost(inTime, maxErrorBytes);
  const text = new TextDecoder().decode(bytes);
  const clean = secretsOf(credentials)
    .flatMap((secret) => [secret, hexOf(secret)])
    .reduce(
      (found, secret) => found.replaceAll(secret, masked),
      status < 400 ? placeless(text) : text,
    );
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  return new Response(clean === text ? bytes : clean, { status, statusText, headers });
}

/** S3's own document without its `Endpoint`; of a page, such as a proxy's, nothing. */
function placeless(text: string): string {
  return /^\s*(<\?xml|<Error\b)/.test(text)
    ? text.replaceAll(/<Endpoint>[^<]*<\/Endpoint>/g, "")
    : "";
}

function secretsOf({ accessKeyId, secretAccessKey, sessionToken }: Credentials): string[] {
  return [accessKeyId, secretAccessKey, sessionToken ?? ""].filter((one) => one !== "");
}

/** As S3 writes bytes: `41 57 53`. */
function hexOf(text: string): string {
  const bytes = [...new TextEncoder().encode(text)];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
