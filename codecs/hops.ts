/**
 * The header by which a request that comes back to its gateway is noticed: the ids of the gateways
 * that it has passed. A gateway whose upstream is itself would answer each request many times over.
 */
import { Failure } from "./failure.ts";

/** The header's name. */
export const hopHeader = "x-batchway-hop";

/** A chain is cut here; the id that was added last stays. */
const maxHops = 32;

/** Adds a gateway's id to those of a request. */
export function hopsWith(hops: string | null, id: string): string {
  return [...hopsOf(hops).slice(1 - maxHops), id].join(", ");
}

/** Returns whether a request has passed the gateway of this id. */
export function hasPassed(hops: string | null, id: string): boolean {
  return hops !== null && hopsOf(hops).includes(id);
}

/** Returns whether an error says that a request came back to a gateway that it had passed. */
export function isLoop(error: unknown): error is Failure {
  return error instanceof Failure && error.details.s3 === "LoopDetected";
}

function hopsOf(hops: string | null): string[] {
  return (hops ?? "").split(",").map((one) => one.trim()).filter((one) =>
    /^[\w-]{1,64}$/.test(one)
  );
}
