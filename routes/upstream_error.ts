/** The code of an upstream's error, for the audit line of a request that was forwarded. */
import type { Audit } from "./context.ts";

/** A document that is longer has no code that is looked for. */
const longestDocument = 64 * 1024;

/**
 * Takes note of the code of an answer that is an error; returns it as it is. Bedrock names it in a
 * header, S3 in its document.
 */
export async function noteUpstreamError(response: Response, audit: Audit): Promise<Response> {
  const { status, headers, body } = response;
  if (status < 400) return response;
  const named = /^\w{1,128}/.exec(headers.get("x-amzn-errortype") ?? "")?.[0];
  if (named !== undefined) audit.errorCode = named;
  const isReadable = named === undefined && body !== null && !headers.has("content-encoding");
  if (!isReadable) return response;
  // Errors of AWS are in memory already: credentials were masked in them.
  const bytes = new Uint8Array(await response.arrayBuffer());
  const text = new TextDecoder().decode(bytes.subarray(0, longestDocument));
  audit.errorCode = /<Code>\s*(\w{1,128})\s*<\/Code>/.exec(text)?.[1] ?? null;
  return new Response(bytes, response);
}
