/** The receivers of events, as the configuration names them at the moment. */
import { createHash } from "node:crypto";
import type { EventSettings } from "../config/events.ts";
import type { EventTarget } from "../catalog/outbox.ts";
import type { EventBody } from "./body.ts";
import type { Delivery, Receiver } from "./receiver.ts";
import { sendWebhook, type WebhookDeps } from "./webhook.ts";

/** Sends an event to an event bus. */
export type SendToBus = (body: EventBody, signal: AbortSignal) => Promise<Delivery>;

/** A receiver and whose events it is sent. */
export type Subscription = EventTarget & Pick<Receiver, "tenants">;

/** Every receiver that is configured, without the means to send anything. */
export function subscriptionsOf(settings: EventSettings | undefined): Subscription[] {
  if (settings === undefined) return [];
  const { webhooks, eventBridge } = settings;
  const hooks = webhooks.map(({ url, tenants }) => ({
    id: digest(url),
    name: nameOf(url),
    tenants,
  }));
  if (eventBridge === undefined) return hooks;
  const { bus, provider } = eventBridge;
  const name = `EventBridge ${bus} (${provider})`;
  return [...hooks, { id: digest(name), name, tenants: ["*"] }];
}

/**
 * Every receiver that is configured.
 *
 * @param settings Read at each try, as a secret may have been changed.
 */
export function receiversOf(
  settings: () => EventSettings | undefined,
  deps: WebhookDeps,
  sendToBus: SendToBus | undefined,
): Receiver[] {
  const hookOf = (id: string) => settings()?.webhooks.find(({ url }) => digest(url) === id);
  return subscriptionsOf(settings()).flatMap((one): Receiver[] => {
    const first = hookOf(one.id);
    if (first === undefined) return sendToBus ? [{ ...one, send: sendToBus }] : [];
    return [{
      ...one,
      send: (body, signal) => sendWebhook(deps, hookOf(one.id) ?? first, body, signal),
    }];
  });
}

/** Those that are sent a tenant's events. */
export function targetsFor<Target extends Subscription>(
  receivers: readonly Target[],
  tenant: string,
): Target[] {
  return receivers.filter(({ tenants }) => tenants.includes("*") || tenants.includes(tenant));
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** A query may be a token. */
function nameOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
