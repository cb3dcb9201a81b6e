/** What the delivery of events needs of a receiver. */
import type { EventTarget } from "../catalog/outbox.ts";
import type { EventBody } from "./body.ts";

/** What became of one try. */
export type Delivery =
  | { readonly delivered: true }
  | {
    readonly delivered: false;
    /** Why, in a sentence without keys. */
    readonly reason: string;
    /** How long the receiver asks for a pause, in milliseconds. */
    readonly retryAfter?: number;
    /** It says that it wants no more of them. */
    readonly isGone?: true;
  };

/** A receiver of events. */
export interface Receiver extends EventTarget {
  /** Whose events it is sent; `*` for those of all tenants. */
  readonly tenants: readonly string[];
  /** Sends one event. Rejects only where the signal ends it. */
  send(body: EventBody, signal: AbortSignal): Promise<Delivery>;
}
