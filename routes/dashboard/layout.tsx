/** The frame of every page: title, navigation, and who is signed in. */
import type { Child } from "@hono/hono/jsx";
import { visible } from "../../codecs/visible.ts";
import type { Principal } from "../context.ts";
import { tokenField } from "./forms.ts";
import { type PageRequest, paths } from "./request.ts";

const sections = [
  { path: paths.jobs, title: "Jobs" },
  { path: paths.objects, title: "Objects" },
  { path: paths.providers, title: "Providers" },
  { path: paths.usage, title: "Usage" },
  { path: paths.keys, title: "Keys" },
  { path: paths.refused, title: "Refused" },
] as const;

/** A whole page. */
export function Document(
  { title, children }: { readonly title: string; readonly children?: Child },
) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · Batchway`}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href={paths.style} />
        <script src={paths.script} defer></script>
      </head>
      <body>{children}</body>
    </html>
  );
}

/** A page for a user who has signed in. */
export function Page(
  { request, title, at, children }: {
    readonly request: PageRequest;
    readonly title: string;
    /** The section that the page belongs to. */
    readonly at?: string;
    readonly children?: Child;
  },
) {
  return (
    <Document title={title}>
      <a class="skip" href="#main">Skip to the content</a>
      <header>
        <p class="brand">Batchway</p>
        <nav aria-label="Sections">
          <ul>
            {sections.map(({ path, title }) => (
              <li>
                <a href={path} {...(path === at && { "aria-current": "page" })}>{title}</a>
              </li>
            ))}
          </ul>
        </nav>
        <Account request={request} />
      </header>
      <main id="main" tabindex={-1}>
        <h1>{title}</h1>
        {children}
      </main>
    </Document>
  );
}

function Account({ request }: { readonly request: PageRequest }) {
  const { principal } = request;
  if (principal.accessKeyId === null) return <p class="who">No keys yet: open on this machine</p>;
  return (
    <form class="who" method="post" action={paths.signOut}>
      <FormToken request={request} />
      <span>{nameOf(principal)}</span>
      <button type="submit" class="plain">Sign out</button>
    </form>
  );
}

function nameOf({ label, accessKeyId, tenant, admin, readOnly }: Principal): string {
  const rights = admin === true ? ", administrator" : readOnly ? ", read-only" : "";
  return `${label ?? accessKeyId ?? ""} (${tenant}${rights})`;
}

/** The hidden field that every form must send back. */
export function FormToken({ request }: { readonly request: Pick<PageRequest, "formToken"> }) {
  return <input type="hidden" name={tokenField} value={request.formToken} />;
}

/** Says that a provider could not be asked, and why: what is shown may be older. */
export function LastKnown(
  { provider, why }: { readonly provider: string; readonly why: string },
) {
  return (
    <p class="notice bad">
      {`What is shown of ${provider} is what was last known. ${visible(why)}`}
    </p>
  );
}

/** Sentence of a page that has nothing to show, or could not. */
export function Notice({ children }: { readonly children?: Child }) {
  return <p class="notice">{children}</p>;
}
