/**
 * A gateway that does not ask for signatures is for programs on this machine. A page in a browser of
 * this machine is not one of them: it could send a form to 127.0.0.1 and start a paid job, or have a
 * host name of its own point there (DNS rebinding) and read the answers too.
 */
import { calledAs } from "../../runtime/program_name.ts";
import { hostname, type Target } from "../target.ts";
import { refuse } from "./refusals.ts";

const loopback = /^(?:127\.[0-9.]+|\[::1\]|(?:.+\.)?localhost)$/;
/**
 * A host that cannot be pointed at this machine from outside: an address, or a name without a
 * domain.
 */
const undotted = /^(?:\[[0-9a-f:.]+\]|[0-9.]+|[^.]+)$/;

/** Throws a refusal for a request that a page of another site may have sent. */
export function checkLocal(headers: Headers, target: Target, s3Domains: readonly string[]): void {
  const host = hostname(target.host);
  const isOurs = loopback.test(host) || undotted.test(host) ||
    s3Domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
  if (isOurs && isSameSite(headers)) return;
  throw refuse(
    "forbidden",
    "Without credentials this gateway answers only programs on its own machine, under a name of " +
      `this machine. Make a credential with '${
        calledAs("keys add")
      }', or set BATCHWAY_ALLOW_ANONYMOUS=1`,
  );
}

function isSameSite(headers: Headers): boolean {
  if (headers.get("sec-fetch-site") === "cross-site") return false;
  const origin = headers.get("origin");
  if (origin === null) return true;
  return URL.canParse(origin) && loopback.test(new URL(origin).hostname);
}
