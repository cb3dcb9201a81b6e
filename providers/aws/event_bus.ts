/** Amazon EventBridge: sending events to an event bus with `PutEvents`. */
import type {
  EventBridgeClient,
  PutEventsCommandOutput,
  PutEventsRequestEntry,
} from "@aws-sdk/client-eventbridge";
import { SingleFlight } from "../../runtime/single_flight.ts";
import type { OwnCredentials } from "./credentials.ts";
import { isRefusalOfCredentials } from "./own_credentials.ts";

/** An event as `PutEvents` takes it. */
export interface BusEvent {
  readonly source: string;
  readonly detailType: string;
  /** JSON. */
  readonly detail: string;
  readonly resources: readonly string[];
  readonly time: Date;
}

/** Why an event is not on its bus; undefined where it is. */
export type BusRefusal = string | undefined;

/** An event bus. */
export interface EventBus {
  /** Resolves with the reason why an event was refused; rejects where AWS cannot be reached. */
  put(event: BusEvent): Promise<BusRefusal>;
  close(): Promise<void>;
}

/** How an event bus is reached. */
export interface EventBusSettings {
  /** Its name or ARN. */
  readonly bus: string;
  readonly region: string;
  /** In place of AWS's own host. */
  readonly endpoint?: string | undefined;
  readonly credentials: OwnCredentials;
  /** For one call, in milliseconds. */
  readonly milliseconds?: number;
}

/** Limits of one call (2026-11): AWS allows 1 MiB by now, and older endpoints this. */
const mostEntries = 10;
const mostBytes = 262_144;
const defaultMilliseconds = 15_000;

interface Waiting {
  readonly entry: PutEventsRequestEntry;
  readonly bytes: number;
  readonly resolve: (refusal: BusRefusal) => void;
  readonly reject: (error: unknown) => void;
}

/** Makes an event bus. The SDK is loaded with the first event. Events that come together are one call. */
export function createEventBus(settings: EventBusSettings): EventBus {
  const { bus, milliseconds = defaultMilliseconds } = settings;
  const clients = new SingleFlight<EventBridgeClient>();
  let client: EventBridgeClient | undefined;
  let waiting: Waiting[] = [];
  const calls = new Set<Promise<void>>();

  async function send(): Promise<void> {
    const all = waiting;
    waiting = [];
    await Promise.all(callsOf(all).map(call));
  }

  async function call(events: readonly Waiting[]): Promise<void> {
    try {
      const { PutEventsCommand } = await import("@aws-sdk/client-eventbridge");
      client ??= await clients.run("client", () => connect(settings));
      const command = new PutEventsCommand({ Entries: events.map(({ entry }) => entry) });
      const answer = await client.send(command, { abortSignal: AbortSignal.timeout(milliseconds) });
      for (const [at, event] of events.entries()) event.resolve(refusalOf(answer, at));
    } catch (error) {
      // Rotated ones are found for the next try.
      if (error instanceof Error && isRefusalOfCredentials(error)) settings.credentials.refused();
      for (const event of events) event.reject(error);
    }
  }

  return {
    put({ source, detailType, detail, resources, time }) {
      const entry: PutEventsRequestEntry = {
        EventBusName: bus,
        Source: source,
        DetailType: detailType,
        Detail: detail,
        Resources: [...resources],
        Time: time,
      };
      const result = Promise.withResolvers<BusRefusal>();
      const bytes = sizeOf(entry);
      if (bytes > mostBytes) {
        return Promise.resolve(`It has ${bytes} bytes; ${mostBytes} are the most`);
      }
      waiting.push({ entry, bytes, ...result });
      if (waiting.length === 1) {
        // Others of the same turn of the event loop come with it.
        const sending = Promise.resolve().then(send).finally(() => calls.delete(sending));
        calls.add(sending);
      }
      return result.promise;
    },
    async close() {
      await Promise.all(calls);
      client?.destroy();
    },
  };
}

async function connect(
  { region, endpoint, credentials }: EventBusSettings,
): Promise<EventBridgeClient> {
  const { EventBridgeClient } = await import("@aws-sdk/client-eventbridge");
  return new EventBridgeClient({
    region,
    ...(endpoint && { endpoint }),
    credentials: async () => {
      const { accessKeyId, secretAccessKey, sessionToken } = await credentials();
      return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
    },
    // Events are tried again by what sends them.
    maxAttempts: 1,
    // The SDK's own asks for the machine's release, for which a start has no permission.
    defaultUserAgentProvider: () => Promise.resolve([["batchway", "1"]]),
  });
}

function refusalOf(
  { FailedEntryCount = 0, Entries = [] }: PutEventsCommandOutput,
  at: number,
): BusRefusal {
  if (FailedEntryCount === 0) return undefined;
  const { ErrorCode, ErrorMessage, EventId } = Entries[at] ?? {};
  if (ErrorCode === undefined && EventId !== undefined) return undefined;
  return `${ErrorCode ?? "Unknown"}: ${ErrorMessage ?? "the entry was not taken"}`.slice(0, 200);
}

/** Takes events apart into calls, each within the limits. */
function callsOf(events: readonly Waiting[]): Waiting[][] {
  const calls: Waiting[][] = [];
  let bytes = Infinity;
  for (const event of events) {
    const last = calls.at(-1);
    if (last === undefined || last.length === mostEntries || bytes + event.bytes > mostBytes) {
      calls.push([event]);
      bytes = event.bytes;
    } else {
      last.push(event);
      bytes += event.bytes;
    }
  }
  return calls;
}

/** As AWS counts an entry: 14 bytes of time, and the UTF-8 of its texts. */
function sizeOf({ Source, DetailType, Detail, Resources }: PutEventsRequestEntry): number {
  const texts = [Source, DetailType, Detail, ...(Resources ?? [])];
  return texts.reduce((sum, text) => sum + new TextEncoder().encode(text ?? "").length, 14);
}
