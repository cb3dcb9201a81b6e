/** Says in an upstream's error that the request named no provider: its program forgot it, perhaps. */
import { isObject } from "../codecs/json_object.ts";
import { Failure } from "../codecs/failure.ts";

/**
 * Carries a request out; where it fails, the error's message ends with a sentence. Of an upstream's
 * answer only the message changes, so that its code stays what programs go by.
 *
 * @param sentence Undefined to change nothing.
 */
export async function explained(
  sentence: string | undefined,
  carryOut: () => Promise<Response>,
): Promise<Response> {
  if (sentence === undefined) return await carryOut();
  let response: Response;
  try {
    response = await carryOut();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const message = joined(error.message, sentence);
    throw new Failure(error.kind, message, { ...error.details, cause: error });
  }
  const isReadable = response.status >= 400 && response.body !== null &&
    !response.headers.has("content-encoding");
  if (!isReadable) return response;
  // Errors of AWS are in memory already: credentials were masked in them.
  const text = await response.text();
  const { status, statusText } = response;
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  return new Response(inXml(text, sentence) ?? inJson(text, sentence) ?? text, {
    status,
    statusText,
    headers,
  });
}

/** An S3 error with the sentence; undefined for anything else. */
function inXml(text: string, sentence: string): string | undefined {
  if (!/^\s*(?:<\?xml|<Error\b)/.test(text)) return undefined;
  return text.replace(
    /<Message>([^<]*)<\/Message>/,
    (_, message: string) => `<Message>${joined(message, sentence)}</Message>`,
  );
}

/** A Bedrock error with the sentence; undefined for anything else. */
function inJson(text: string, sentence: string): string | undefined {
  let error: unknown;
  try {
    error = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(error)) return undefined;
  const [name, message] = Object.entries(error).find(([key]) => /^message$/i.test(key)) ?? [];
  if (name === undefined || typeof message !== "string") return undefined;
  return JSON.stringify({ ...error, [name]: joined(message, sentence) });
}

function joined(message: string, sentence: string): string {
  return `${message.replace(/\.$/, "")}. ${sentence}`;
}
