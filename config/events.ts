/** Where events go: the `events` of the configuration file, checked against its providers. */
import * as v from "valibot";
import type { ProviderSettings } from "../providers/settings.ts";

/** A receiver of webhooks. */
export interface WebhookSettings {
  readonly url: string;
  /** `whsec_` and the key's bytes in base64. */
  readonly secret: string;
  /** Whose jobs it is sent; `*` for those of all tenants. */
  readonly tenants: readonly string[];
}

/** An event bus of Amazon EventBridge. */
export interface EventBridgeSettings {
  /** A bus's name or ARN. */
  readonly bus: string;
  /** The forwarding provider whose credentials and region are used. */
  readonly provider: string;
}

/** Receivers of events. */
export interface EventSettings {
  readonly webhooks: readonly WebhookSettings[];
  readonly eventBridge?: EventBridgeSettings;
}

/** Receivers of webhooks that one step of the catalog can write to. */
const mostWebhooks = 16;
/** What Standard Webhooks asks of a key, in bytes. */
const keyBytes = { least: 24, most: 64 };
const loopback = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])$/;

const webhook = v.object({
  url: v.pipe(
    v.string(),
    v.check(
      isTarget,
      "must be an https URL without user and fragment, or plain http to this machine only",
    ),
  ),
  secret: v.pipe(
    v.string(),
    v.check(
      isSecret,
      `must be whsec_ and ${keyBytes.least} to ${keyBytes.most} bytes in base64; ` +
        `echo "whsec_$(openssl rand -base64 32)" makes one`,
    ),
  ),
  tenants: v.optional(
    v.pipe(
      v.array(v.pipe(v.string(), v.nonEmpty("must not be empty"))),
      v.minLength(1, 'must name a tenant, or "*"'),
    ),
    ["*"],
  ),
});

const eventBridge = v.object({
  bus: v.optional(
    v.pipe(
      v.string(),
      v.regex(
        /^(?:arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus\/)?[A-Za-z0-9._/-]{1,256}$/,
        "must be the name or the ARN of an event bus",
      ),
    ),
    "default",
  ),
  provider: v.string(),
});

/** The form of `events`. */
export const events = v.object({
  webhooks: v.optional(
    v.pipe(
      v.array(webhook),
      v.maxLength(mostWebhooks, `must have at most ${mostWebhooks} entries`),
      v.check(
        (all) => new Set(all.map(({ url }) => url)).size === all.length,
        "has a URL twice; list its tenants in one entry",
      ),
    ),
    [],
  ),
  eventBridge: v.exactOptional(eventBridge),
});

/** What each part may hold. */
export const eventMembers = {
  events: Object.keys(events.entries),
  webhook: Object.keys(webhook.entries),
  eventBridge: Object.keys(eventBridge.entries),
} as const;

/**
 * Returns what is wrong with a bus's provider; undefined where it is one that forwards to AWS in a
 * region.
 */
export function busError(
  { eventBridge: bus }: EventSettings,
  providers: readonly ProviderSettings[],
  region: string | undefined,
): string | undefined {
  if (bus === undefined) return undefined;
  const provider = providers.find(({ name }) => name === bus.provider);
  if (provider?.kind !== "bedrock") return "must name a provider of kind bedrock";
  if (provider.region === undefined && region === undefined) {
    return "must name a provider with a region, or AWS_REGION must be set";
  }
  return undefined;
}

function isTarget(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, hash } = new URL(text);
  if (username !== "" || password !== "" || hash !== "") return false;
  return protocol === "https:" || protocol === "http:" && loopback.test(hostname);
}

function isSecret(text: string): boolean {
  const base64 = /^whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/.exec(
    text,
  )?.[1];
  if (base64 === undefined) return false;
  const { length } = atob(base64);
  return length >= keyBytes.least && length <= keyBytes.most;
}
