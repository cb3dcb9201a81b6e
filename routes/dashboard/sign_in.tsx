/** The sign-in page, and the end of a session. */
import type { Failure } from "../../codecs/failure.ts";
import type { Tokens } from "../../codecs/page_token.ts";
import { answerPage, goTo } from "./answer.ts";
import { sealForm, tokenField } from "./forms.ts";
import { Document } from "./layout.tsx";
import { link, paths } from "./request.ts";

/** Dependencies of the page. */
interface SignInDeps {
  readonly tokens: Tokens;
  readonly now: () => number;
}

/** Answers with the sign-in page. */
export function signInPage(
  deps: SignInDeps,
  to: string,
  problem?: { readonly status: number; readonly message: string; readonly retryAfter?: number },
): Promise<Response> {
  return answerPage(
    <Document title="Sign in">
      <main id="main" class="narrow">
        <h1>Batchway</h1>
        {problem && <p class="notice bad" role="alert">{problem.message}</p>}
        <form method="post" action={link(paths.signIn, { to: safePath(to) })}>
          <input type="hidden" name={tokenField} value={sealForm(deps, "")} />
          <label>
            Access key id
            <input name="accessKeyId" autocomplete="username" spellcheck={false} maxlength={128} />
          </label>
          <label>
            Secret access key, or bearer token
            <input
              name="secret"
              type="password"
              autocomplete="current-password"
              maxlength={256}
              required
            />
          </label>
          <button type="submit">Sign in</button>
        </form>
        <p class="quiet">
          Keys are issued by the gateway's operator. A bearer token needs no access key id.
        </p>
      </main>
    </Document>,
    problem?.status ?? 200,
    problem?.retryAfter === undefined ? {} : { "retry-after": `${problem.retryAfter}` },
  );
}

/** Sends a visitor to the sign-in page, and from there back to the page that was asked for. */
export function goToSignIn(path: string, query: string): Response {
  const to = query === "" ? path : `${path}?${query}`;
  return goTo(link(paths.signIn, { to: safePath(to) === paths.jobs ? undefined : to }));
}

const pages: ReadonlySet<string> = new Set([
  paths.jobs,
  paths.job,
  paths.objects,
  paths.object,
  paths.providers,
  paths.keys,
  paths.usage,
  paths.refused,
]);

/** A path of one of the pages; anything else becomes the list of jobs. */
export function safePath(to: string): string {
  const isPlain = /^[\x21-\x7e]*$/.test(to);
  return isPlain && pages.has(to.split("?")[0] ?? "") ? to : paths.jobs;
}

/** Status and words of a failure on a page. */
export function problemOf(failure: Failure, status: number) {
  const { message, details: { retryAfterSeconds: retryAfter } } = failure;
  return { status, message, ...(retryAfter !== undefined && { retryAfter }) };
}
