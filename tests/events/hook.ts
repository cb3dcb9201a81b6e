/** A receiver of webhooks that verifies each with the official package. */
import { Webhook } from "standardwebhooks";
import type { EventBody } from "../../events/body.ts";

/** The secret that receivers of tests share with gateways. */
export const secret = `whsec_${btoa("a secret of thirty-two bytes, yes")}`;

/** What a receiver answers; undefined for 204. */
export type Answer = (
  event: EventBody,
  nth: number,
) => Response | undefined | Promise<Response | undefined>;

/** A receiver that listens. */
export interface Hook extends AsyncDisposable {
  readonly url: string;
  /** Every event that came, whatever was answered, in the order in which they came. */
  readonly all: EventBody[];
  /** Those that were answered with 2xx. */
  readonly taken: EventBody[];
  /** What is answered from now on. */
  answer: Answer;
}

/** Starts a receiver; one that is sent what is not signed answers 400, and the test sees no event. */
export function startHook(answer: Answer = () => undefined, port = 0): Hook {
  const webhook = new Webhook(secret);
  const all: EventBody[] = [];
  const taken: EventBody[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port, onListen: () => {} },
    async (request) => {
      const event = webhook.verify(
        await request.text(),
        Object.fromEntries(request.headers),
      ) as EventBody;
      if (event.id !== request.headers.get("webhook-id")) {
        return new Response(null, { status: 400 });
      }
      all.push(event);
      const given = await hook.answer(event, all.length) ?? new Response(null, { status: 204 });
      if (given.ok) taken.push(event);
      return given;
    },
  );
  const hook: Hook = {
    url: `http://127.0.0.1:${server.addr.port}/hook?token=t0p-secret`,
    all,
    taken,
    answer,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return hook;
}

/** A configuration file's text with these receivers. */
export function withHooks(...urls: readonly string[]): string {
  return JSON.stringify({ events: { webhooks: urls.map((url) => ({ url, secret })) } });
}
