/**
 * That a form was sent from a page of this dashboard: by the browser's own word (`Origin`,
 * `Sec-Fetch-Site`), and by a token that only such a page holds.
 */
import { createHash } from "node:crypto";
import type { Tokens } from "../../codecs/page_token.ts";
import { refuse } from "../auth/refusals.ts";
import type { Context } from "../context.ts";
import { readFields } from "./request.ts";

const tokenKind = "dashboard-form";
/** A page that has been open for longer must be loaded again, in milliseconds. */
const goodFor = 12 * 3_600_000;
/** Name of the field that holds the token. */
export const tokenField = "form";

/** Dependencies of forms. */
export interface FormDeps {
  readonly tokens: Tokens;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Makes the token of a page's forms, good for one session. */
export function sealForm({ tokens, now }: FormDeps, session: string): string {
  return tokens.seal(tokenKind, [nameOf(session), now() + goodFor]);
}

/** Stands for a session on its pages, which must not hold a part of its cookie. */
function nameOf(session: string): string {
  return createHash("sha256").update(session).digest("base64url").slice(0, 22);
}

/** Reads a form. Throws a refusal where it did not come from a page of the session's. */
export async function readForm(
  { tokens, now }: FormDeps,
  { request, target, readBody }: Pick<Context, "request" | "target" | "readBody">,
  session: string,
): Promise<ReadonlyMap<string, string>> {
  checkOrigin(request.headers, target.host);
  const type = request.headers.get("content-type") ?? "";
  const text = new TextDecoder().decode(await readBody());
  const form = readFields(/^application\/x-www-form-urlencoded\b/i.test(type) ? text : "");
  const opened = tokens.open(tokenKind, form.get(tokenField) ?? "");
  const [of, until] = Array.isArray(opened) ? opened : [];
  if (of === nameOf(session) && typeof until === "number" && now() < until) return form;
  throw refuse(
    "forbidden",
    "The form is not one of this session's pages, or too old. Load the page again and repeat it",
  );
}

/** Throws a refusal for a form of another origin; a program that sends no `Origin` has the token. */
function checkOrigin(headers: Headers, host: string): void {
  const site = headers.get("sec-fetch-site") ?? "same-origin";
  const origin = headers.get("origin");
  const isOwn = origin === null ||
    (URL.canParse(origin) && hostOf(origin) === withoutDefaultPort(host, origin));
  if (isOwn && (site === "same-origin" || site === "none")) return;
  throw refuse(
    "forbidden",
    "The form was sent from a page of another site. Open the dashboard itself; behind a proxy, let " +
      "it pass the Host header on",
  );
}

function hostOf(origin: string): string {
  return new URL(origin).host;
}

function withoutDefaultPort(host: string, origin: string): string {
  return origin.startsWith("https:") ? host.replace(/:443$/, "") : host.replace(/:80$/, "");
}
