/** A client that tries again, at one gateway or the other, until it has an answer that counts. */
import { createClient, type Fetcher } from "../jobs/wire.ts";
import type { Gateways } from "./gateways.ts";
import { count, type Model, type ProviderName } from "./model.ts";
import type { Random } from "./random.ts";

/** An answer that was read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Whether a try before this one may have been carried out. */
  readonly doubtful: boolean;
}

/** What is sent; the client is one of a gateway that is up. */
export type Send = (
  client: ReturnType<typeof createClient>,
  signal: AbortSignal,
) => Promise<Response>;

/** How a request is sent. */
export interface Insistence {
  /** Gives up after the first try, whatever came of it. */
  readonly once?: boolean;
  /** How long one try is waited for, in milliseconds. */
  readonly patience?: number;
  /** The gateway to begin with. */
  readonly at?: number;
}

/** Longer than a create can wait for one that died, and for a provider that is slow. */
const tryMilliseconds = 30_000;
/** Nobody can be unlucky for so long. */
const limitMilliseconds = 120_000;

/** A client of both gateways. */
export type Insistent = ReturnType<typeof createInsistent>;

/** Makes a client of both gateways. */
export function createInsistent(
  gateways: Gateways,
  model: Model,
  random: Random,
  fetcher?: Fetcher,
) {
  return ask;

  /**
   * Sends a request until the answer is neither a failure of the gateway's nor of the provider's.
   *
   * @returns Undefined where it was sent once and no such answer came.
   */
  async function ask(
    what: string,
    provider: ProviderName,
    send: Send,
    { once = false, patience = tryMilliseconds, at = random.below(gateways.count) }: Insistence =
      {},
  ): Promise<Answer | undefined> {
    const end = Date.now() + limitMilliseconds;
    let last = "";
    for (let tries = 0; Date.now() < end; tries++) {
      const url = gateways.url((at + tries) % gateways.count);
      if (url !== undefined) {
        count(model, `${what}: tries`);
        const answer = await attempt(
          createClient(url, provider, fetcher),
          send,
          patience,
          tries > 0,
        );
        if (typeof answer !== "string") {
          note(what, answer);
          if (answer.status < 500 && answer.status !== 429) return answer;
          last = `${answer.status} ${answer.text}`;
        } else last = answer;
        if (once) return undefined;
      }
      await new Promise((resolve) => setTimeout(resolve, 50 + random.below(250)));
    }
    throw new Error(`${what} was never answered; the last was ${last}`);
  }

  /** A provider's fault, or a crash, is never told as an error of the gateway's own. */
  function note(what: string, { status, text }: Answer): void {
    if (/InternalError|InternalServer|internal error/.test(text)) {
      model.violations.push(`${what} was answered ${status} ${text}`);
    }
  }
}

async function attempt(
  client: ReturnType<typeof createClient>,
  send: Send,
  patience: number,
  doubtful: boolean,
): Promise<Answer | string> {
  try {
    const response = await send(client, AbortSignal.timeout(patience));
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, doubtful };
  } catch (error) {
    // The gateway died, the client lost patience, or a body broke off.
    return String(error);
  }
}
