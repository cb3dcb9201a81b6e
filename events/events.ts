/** Events of jobs: from the step that changes a job to those who want to know. */
import type { EventSettings } from "../config/events.ts";
import type { Outbox } from "../catalog/outbox.ts";
import type { BusEvent, EventBus } from "../providers/aws/event_bus.ts";
import type { EventBody } from "./body.ts";
import { receiversOf, subscriptionsOf, targetsFor } from "./receivers.ts";
import { createSender, type Sender, type SenderDeps } from "./sender.ts";
import type { WebhookDeps } from "./webhook.ts";

/** Dependencies of events. */
export interface EventsDeps extends Omit<SenderDeps, "catalog" | "receivers"> {
  /** The newest configuration of them. */
  readonly settings: () => EventSettings | undefined;
  readonly fetch: WebhookDeps["fetch"];
  /** Opens the event bus that is configured. */
  readonly openBus: (settings: NonNullable<EventSettings["eventBridge"]>) => EventBus;
}

/** Events of one gateway. */
export interface Events {
  /** What the catalog writes events by; absent where no receiver is configured. */
  readonly outbox?: Outbox;
  /** Makes what sends them. */
  open(catalog: SenderDeps["catalog"]): Sender;
}

/** Makes events of what the configuration says of them. */
export function createEvents({ settings, fetch, openBus, ...deps }: EventsDeps): Events {
  const first = settings();
  const bridge = first?.eventBridge;
  const bus = bridge && openBus(bridge);
  const webhooks: WebhookDeps = { fetch, now: deps.clock.now };
  let sender: Sender | undefined;
  const outbox: Outbox = {
    targetsOf: (tenant) =>
      targetsFor(subscriptionsOf(settings()), tenant).map(({ id, name }) => ({ id, name })),
    committed: () => sender?.wake(),
  };
  return {
    ...(first && { outbox }),
    open(catalog) {
      const opened = createSender({
        ...deps,
        catalog,
        receivers: () =>
          receiversOf(settings, webhooks, bus && ((body, signal) => sendToBus(bus, body, signal))),
      });
      sender = opened;
      return {
        ...opened,
        async close() {
          await opened.close();
          await bus?.close();
        },
      };
    },
  };
}

async function sendToBus(bus: EventBus, body: EventBody, signal: AbortSignal) {
  try {
    const refusal = await bus.put(entryOf(body));
    if (refusal === undefined) return { delivered: true } as const;
    return { delivered: false, reason: `EventBridge refuses the event: ${refusal}` } as const;
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return {
      delivered: false,
      reason: `EventBridge could not be asked: ${reason.slice(0, 200)}`,
    } as const;
  }
}

function entryOf(body: EventBody): BusEvent {
  return {
    source: body.source,
    detailType: body["detail-type"],
    detail: JSON.stringify(body.detail),
    resources: body.resources,
    time: new Date(body.time),
  };
}
