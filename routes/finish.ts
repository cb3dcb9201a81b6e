/** Finishes a request once its answer is known. */
import { cancelUnread } from "../runtime/unread.ts";

/** The connection that a request came on. */
export interface Connection {
  /**
   * Aborted when it is seen that the client has gone. Over HTTP/1.1 Deno.serve does not see that
   * after a body that it did not read together with the head (Deno 2.9.6, November 2026): the work
   * then goes on to its end, and must be as right as if the client had waited.
   */
  readonly signal: AbortSignal;
  /** Settles when the answer has gone out whole, or rejects when it cannot any more. */
  readonly completed: Promise<void>;
  /** The address of its other end. */
  readonly peer?: string;
}

/**
 * Lets an answer go, with the request's body out of the way: one that was not read would stall the
 * client, or the next request on its connection.
 *
 * @param done Receives the bytes of the answer's body, once it has gone out or the client has gone.
 */
export async function finish(
  request: Request,
  response: Response,
  { completed }: Connection,
  done: (bytesOut: number) => void,
): Promise<Response> {
  if (!request.bodyUsed) await cancelUnread(request.body);
  if (isAnsweredAtOnce(request.headers)) response.headers.set("connection", "close");
  const bytes = lengthOf(request, response);
  if (bytes !== undefined) {
    // How much arrived of an answer that broke off is not known; counting would mean to copy it.
    completed.then(() => done(bytes), () => done(0));
    return response;
  }
  const counted = count(response);
  const tell = () => done(counted.bytes());
  completed.then(tell, tell);
  return counted.response;
}

/** Statuses of answers without a body, whatever their headers say. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * The length of an answer's body where it is known beforehand. The body itself is looked at last:
 * looking at it makes a stream of it, which Deno then sends as one (2.9.6, docs/performance.md).
 */
function lengthOf({ method }: Request, response: Response): number | undefined {
  if (method === "HEAD" || bodiless.has(response.status)) return 0;
  const length = response.headers.get("content-length");
  if (length !== null) return Number(length);
  return response.body === null ? 0 : undefined;
}

function count(response: Response): { response: Response; bytes: () => number } {
  let bytes = 0;
  const body = response.body?.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        controller.enqueue(chunk);
      },
    }),
  ) ?? null;
  return { response: new Response(body, response), bytes: () => bytes };
}

/**
 * Returns whether the client waits for a 100 that never comes: none is sent for a body of no bytes
 * (Deno 2.9.6). Then botocore before 1.44 misreads the next answer on the same connection and waits
 * for the rest of it (awscli 1.46.3, measured 2026-11-23).
 */
function isAnsweredAtOnce(headers: Headers): boolean {
  return headers.has("expect") && headers.get("content-length") === "0";
}
