/** Webhooks in the form of Standard Webhooks (standardwebhooks.com). */
import type { Webhook } from "standardwebhooks";
import type { EventBody } from "./body.ts";
import type { Delivery } from "./receiver.ts";
import { retryAfterOf } from "./retry.ts";

/** How a webhook is sent. */
export interface WebhookDeps {
  readonly fetch: typeof fetch;
  readonly now: () => number;
  /** From the beginning of a try to the head of its answer, in milliseconds. */
  readonly milliseconds?: number;
}

const defaultMilliseconds = 15_000;
/** Of an answer's body this much is read, for the connection's sake; what it says counts for nothing. */
const mostBytes = 4096;
const bodyMilliseconds = 1_000;

/** Sends an event to a URL. A redirect is not followed, and an answer's body is not believed. */
export async function sendWebhook(
  { fetch, now, milliseconds = defaultMilliseconds }: WebhookDeps,
  { url, secret }: { readonly url: string; readonly secret: string },
  body: EventBody,
  signal: AbortSignal,
): Promise<Delivery> {
  const payload = JSON.stringify(body);
  const at = now();
  const signature = (await signer(secret)).sign(body.id, new Date(at), payload);
  const enough = AbortSignal.timeout(milliseconds);
  try {
    const answer = await fetch(url, {
      method: "POST",
      redirect: "manual",
      headers: {
        "content-type": "application/json",
        "user-agent": "batchway",
        "webhook-id": body.id,
        "webhook-timestamp": `${Math.floor(at / 1000)}`,
        "webhook-signature": signature,
      },
      body: payload,
      signal: AbortSignal.any([signal, enough]),
    });
    await endBody(answer);
    return verdict(answer, now());
  } catch (error) {
    signal.throwIfAborted();
    if (enough.aborted) {
      return failed(`The receiver has not answered within ${milliseconds / 1000} s`);
    }
    return failed(`The receiver could not be reached: ${reasonOf(error, url)}`);
  }
}

function verdict({ status, headers, ok }: Response, now: number): Delivery {
  if (ok) return { delivered: true };
  if (status >= 300 && status < 400) {
    return failed(`The receiver answers ${status}, and redirects are not followed`);
  }
  const retryAfter = retryAfterOf(headers.get("retry-after"), now);
  return {
    ...failed(`The receiver answers ${status}`),
    ...(retryAfter !== undefined && { retryAfter }),
    ...(status === 410 && { isGone: true as const }),
  };
}

function failed(reason: string) {
  return { delivered: false, reason } as const;
}

/** Without the URL, which may hold a token. */
function reasonOf(error: unknown, url: string): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = cause instanceof Error ? cause.message : String(cause);
  const { href, pathname, search } = new URL(url);
  return [url, href, `${pathname}${search}`].filter((one) => one.length > 1)
    .reduce((rest, secret) => rest.replaceAll(secret, "…"), text).slice(0, 200);
}

/** Reads a short body to its end, so that the connection can be used again; any other is cut off. */
async function endBody({ body }: Response): Promise<void> {
  if (body === null) return;
  const reader = body.getReader();
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), bodyMilliseconds);
  try {
    for (let bytes = 0; bytes <= mostBytes;) {
      const { done, value } = await reader.read();
      if (done) return;
      bytes += value.length;
    }
    await reader.cancel();
  } catch {
    // Its head was the answer.
  } finally {
    clearTimeout(timer);
  }
}

async function signer(secret: string): Promise<Webhook> {
  // Loaded late: most gateways send none.
  const { Webhook } = await import("standardwebhooks");
  return new Webhook(secret);
}
