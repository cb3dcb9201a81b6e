/**
 * An end to waiting for AWS, and errors for what is plainly not AWS's.
 *
 * Bedrock's calls, and what S3 answers without having got a body, are answered within seconds, so a
 * silence has a limit. Over a copy or a completion S3 takes minutes, and is given them.
 */
import { bounds } from "../../runtime/bounds.ts";
import { Failure } from "../../codecs/failure.ts";
import { cancelUnread } from "../../runtime/unread.ts";
import { readWhole, watchedBody } from "../body.ts";
import { TransportError } from "../failures.ts";
import type { ForwardingProvider, ForwardRequest } from "../provider.ts";
import { maxRetries } from "../retry.ts";
import { defaultTimeouts, type Timeouts } from "../timeouts.ts";

type Forward = ForwardingProvider["forward"];

/** A list of 1,000 jobs has some 1 MB. */
const maxBedrockBytes = 16 * 2 ** 20;

/** Methods of S3's that send no body that it would have to store. */
const bodiless: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE"]);

/**
 * Wraps a `forward`. It throws `unavailable` where AWS is silent for too long, where an answer of
 * Bedrock's breaks off, and for a page of HTML that is not an answer of AWS.
 */
export function withPatience(
  forward: Forward,
  name: string,
  timeouts: Timeouts = defaultTimeouts,
): Forward {
  return async (request, signal) => {
    const milliseconds = limitOf(request, timeouts);
    if (milliseconds === undefined) return await checked(await forward(request, signal), request);
    const startedAt = performance.now();
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), milliseconds);
    try {
      const either = AbortSignal.any([signal, limit.signal]);
      const answer = await checked(await forward(request, either), request);
      if (request.service !== "bedrock") return answer;
      return await whole(answer, milliseconds - (performance.now() - startedAt), signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof Failure) throw error;
      throw unavailable(
        request,
        limit.signal.aborted || error instanceof TransportError && error.timedOut
          ? `Provider "${name}" did not answer in time. Try again later.`
          : `The connection to provider "${name}" broke before its answer was complete. Try again.`,
        error,
      );
    } finally {
      clearTimeout(timer);
    }
  };

  async function checked(answer: Response, request: ForwardRequest): Promise<Response> {
    if (!isPage(answer.headers)) return answer;
    await cancelUnread(answer.body);
    throw unavailable(
      request,
      `Provider "${name}" answered with a page that is not of its API (HTTP ${answer.status}). Try ` +
        "again later; if it stays, check its endpoint and proxies in between.",
    );
  }
}

function limitOf(
  { service, method, body }: ForwardRequest,
  { callMilliseconds, replyMilliseconds }: Timeouts,
): number | undefined {
  // As for other providers' calls: the time of all attempts, for AWS's clients repeat by themselves.
  if (service === "bedrock") return callMilliseconds * (maxRetries + 1);
  if (bodiless.has(method)) return replyMilliseconds;
  // A body that is still to come has the time that its reader gives it.
  return body instanceof ReadableStream ? undefined : bounds.longReplyMilliseconds;
}

/**
 * Returns whether this is a page of something in between. AWS's own answers bear an id, by which
 * botocore distinguishes them as well (1.44, `_is_generic_error_response`); an object that is such
 * a page, in a store without those ids, bears an ETag.
 */
function isPage(headers: Headers): boolean {
  return /^text\/html\b/i.test(headers.get("content-type") ?? "") &&
    !["x-amz-request-id", "x-amzn-requestid", "etag"].some((one) => headers.has(one));
}

/** Bedrock's JSON is small: read before it is passed on, a broken answer still has a status. */
async function whole(
  answer: Response,
  milliseconds: number,
  signal: AbortSignal,
): Promise<Response> {
  if (answer.body === null) return answer;
  // Deno's fetch does not end a body that was given on when its signal is aborted (2.9.6).
  const watched = watchedBody(answer.body, {
    idleMilliseconds: milliseconds,
    wholeMilliseconds: milliseconds,
    failure: (error) => error,
    signal,
  });
  const bytes = await readWhole(watched, maxBedrockBytes);
  if (bytes === undefined) throw new Error("The answer is larger than any of Bedrock's");
  const { status, statusText, headers } = answer;
  return new Response(bytes, { status, statusText, headers });
}

function unavailable({ method }: ForwardRequest, message: string, cause?: unknown): Failure {
  const outcomeUnknown = method !== "GET" && method !== "HEAD";
  return new Failure("unavailable", message, { cause, ...(outcomeUnknown && { outcomeUnknown }) });
}
