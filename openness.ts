/** Who may use a gateway that has no credential yet. */
import type { Keyring } from "./access/keyring.ts";
import type { Config } from "./config/config.ts";
import type { Openness } from "./routes/authenticate.ts";
import { calledAs } from "./runtime/program_name.ts";

/** Hosts that cannot be reached from outside of this machine. */
const loopback = /^(127\.[0-9.]+|::1|localhost)$/;

/** What decides who reaches a gateway. */
type Reachability = Pick<Config, "host" | "allowAnonymous" | "isPublic">;

/** Returns who is let in while there is no credential. */
export function opennessOf(
  { host, allowAnonymous, isPublic }: Reachability,
): Openness {
  if (allowAnonymous) return "everybody";
  if (isPublic) return "nobody";
  return loopback.test(host) ? "local" : "nobody";
}

/** Throws a sentence where strangers could reach a gateway that does not authenticate. */
export async function checkReachable(
  config: Reachability,
  keyring: Pick<Keyring, "hasAny">,
): Promise<void> {
  const hasAny = await keyring.hasAny();
  if (hasAny || opennessOf(config) !== "nobody") return;
  if (config.isPublic) {
    throw new Error(
      "On Deno Deploy every client that reaches the gateway could use your provider keys. Set " +
        "BATCHWAY_ADMIN_KEY_ID and BATCHWAY_ADMIN_SECRET, or BATCHWAY_ALLOW_ANONYMOUS=1 where " +
        "something else keeps strangers out",
    );
  }
  throw new Error(
    `BATCHWAY_HOST is ${config.host}, and every client that reaches it could use your provider keys. Make a ` +
      `credential with '${calledAs("keys add")}', set BATCHWAY_ADMIN_KEY_ID and ` +
      "BATCHWAY_ADMIN_SECRET, listen on 127.0.0.1, or set " +
      "BATCHWAY_ALLOW_ANONYMOUS=1 where something else keeps strangers out",
  );
}
