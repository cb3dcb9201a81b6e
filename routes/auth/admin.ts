/** Who may see and change what belongs to all tenants. */
import { calledAs } from "../../runtime/program_name.ts";
import type { Openness } from "../authenticate.ts";
import type { Context } from "../context.ts";
import { refuse } from "./refusals.ts";

/** A text that a web page can send without asking the server first has another type. */
const jsonType = /^application\/json\s*(?:;|$)/i;

/**
 * Throws a refusal for a sender who has no admin key. Without any key a program on this machine may
 * do what the command line may; a page in its browser, and what comes through a proxy, may not.
 *
 * @param openTo Who is let in while there is no key.
 */
export function checkAdmin(
  { principal, request: { method, headers } }: Pick<Context, "principal" | "request">,
  openTo: Openness,
): void {
  if (principal.accessKeyId !== null) {
    if (principal.admin) return;
    throw refuse(
      "forbidden",
      "The access key is not an admin key. Use one, or make this one an admin key with " +
        `'${calledAs("keys set ID --admin")}'`,
    );
  }
  const isOfThisMachine = openTo === "local" && !headers.has("x-forwarded-for") &&
    !headers.has("forwarded");
  const isRead = method === "GET" || method === "HEAD";
  const isProgram = !headers.has("origin") && !headers.has("sec-fetch-site") &&
    (isRead || jsonType.test(headers.get("content-type") ?? ""));
  if (isOfThisMachine && isProgram) return;
  throw refuse(
    "forbidden",
    "Without keys only a program on the gateway's machine may do this, with content-type " +
      `application/json and without an Origin. Make an admin key with '${
        calledAs("keys add --admin")
      }', ` +
      "or set BATCHWAY_ADMIN_KEY_ID and BATCHWAY_ADMIN_SECRET",
  );
}
