/** Composition of events: the configuration's receivers, and the bus of a forwarding provider. */
import type { Config } from "./config/config.ts";
import { createEvents, type Events, type EventsDeps } from "./events/events.ts";
import { createCredentials } from "./providers/aws/credentials.ts";
import { createEventBus } from "./providers/aws/event_bus.ts";

/** What events take from outside besides the configuration. */
export interface OpenEventsDeps
  extends Pick<EventsDeps, "clock" | "instance" | "leaseMilliseconds"> {
  readonly env: (name: string) => string | undefined;
  readonly log: { readonly warn: EventsDeps["warn"] };
}

/** Makes events with the configuration's receivers; the configuration is read at each try. */
export function openEvents(config: Config, deps: OpenEventsDeps): Events {
  const { env, log, clock, instance, leaseMilliseconds } = deps;
  return createEvents({
    settings: () => config.events,
    fetch,
    openBus({ bus, provider: name }) {
      const region = config.providers.find((one) => one.name === name)?.region ?? config.region;
      const endpoint = env("AWS_ENDPOINT_URL_EVENTBRIDGE") || undefined;
      const now = () => new Date(clock.now());
      const credentials = createCredentials({ name, env, now, uptime: clock.uptime });
      return createEventBus({ bus, region, endpoint, credentials });
    },
    clock,
    instance,
    leaseMilliseconds,
    random: Math.random,
    warn: log.warn,
  });
}
