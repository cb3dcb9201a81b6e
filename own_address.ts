/** Finds upstreams that are the gateway itself: each request would be answered many times over. */
import { hopHeader } from "./codecs/hops.ts";
import { cancelUnread } from "./runtime/unread.ts";
import type { Upstream } from "./config/upstreams.ts";

/** What the search needs. */
export interface OwnAddressDeps {
  /** The address that the gateway listens on, as configured. */
  readonly host: string;
  /** The URLs of its listeners. */
  readonly urls: readonly string[];
  /** The gateway's id, which its listeners know. */
  readonly hop: string;
  readonly fetch: typeof fetch;
}

const loopback = /^(?:127\.[0-9.]+|\[::1\]|::1|localhost|(?:.+\.)?localhost)$/;
const wildcard = /^(?:0\.0\.0\.0|::|\[::\])$/;

/** How long an address is asked whether it is the gateway, in milliseconds. */
const probeMilliseconds = 2_000;

/**
 * Throws an error that names every setting or variable whose URL is one of the gateway's own listeners. Called
 * once they listen. Only addresses with one of their ports are asked.
 */
export async function refuseOwnAddress(
  upstreams: readonly Upstream[],
  deps: OwnAddressDeps,
): Promise<void> {
  const found: string[] = [];
  for (const { name, url } of upstreams) {
    if (!await isOwn(new URL(url), deps)) continue;
    found.push(
      `${name} is ${
        new URL(url).origin
      }, which is this gateway's own address: every request would ` +
        "come back to it. Set it to the service's own address, or leave it out.",
    );
  }
  if (found.length > 0) throw new Error(found.join("\n"));
}

async function isOwn(url: URL, { host, urls, hop, fetch }: OwnAddressDeps): Promise<boolean> {
  if (!urls.some((one) => portOf(new URL(one)) === portOf(url))) return false;
  const name = url.hostname;
  if (name === host || wildcard.test(name)) return true;
  if (loopback.test(name) && (loopback.test(host) || wildcard.test(host))) return true;
  try {
    const answer = await fetch(url.origin, {
      headers: { [hopHeader]: hop },
      redirect: "manual",
      signal: AbortSignal.timeout(probeMilliseconds),
    });
    await cancelUnread(answer.body);
    return answer.headers.get(hopHeader) === hop;
  } catch {
    return false; // Not reached now: should it be the gateway after all, the hop ends the loop.
  }
}

/** The port of a URL, also where it is the scheme's own. A text that ends with it is not parsed. */
export function portOf(url: URL | string): string {
  if (typeof url === "string") return /:([0-9]+)$/.exec(url)?.[1] ?? portOf(new URL(url));
  const { port, protocol } = url;
  return port === "" ? (protocol === "https:" ? "443" : "80") : port;
}
