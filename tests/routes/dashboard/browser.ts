/** A browser as the dashboard's tests need one: it keeps cookies, and sends forms as a page has them. */
import assert from "node:assert/strict";
import type { Issued } from "../../keys.ts";

/** A page that was loaded. */
export interface Loaded {
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
}

/** A browser's session with one gateway. */
export interface Browser {
  readonly cookies: Map<string, string>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Loaded>;
  /** Sends a form with the token of a page, unless it has one of its own. */
  post(
    path: string,
    fields: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Loaded>;
  signIn(key: Pick<Issued, "accessKeyId" | "secretAccessKey">): Promise<Loaded>;
}

/** Opens a browser. Redirects are not followed, so that tests see them. */
export function openBrowser(url: string): Browser {
  const cookies = new Map<string, string>();
  let token = "";
  const load = async (path: string, init: RequestInit): Promise<Loaded> => {
    const headers = new Headers(init.headers);
    if (cookies.size > 0) {
      headers.set("cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    }
    const response = await fetch(url + path, { ...init, headers, redirect: "manual" });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === "") cookies.delete(name);
      else cookies.set(name, value);
    }
    const html = await response.text();
    token = /name="form" value="([^"]+)"/.exec(html)?.[1] ?? token;
    return { status: response.status, headers: response.headers, html };
  };
  const browser: Browser = {
    cookies,
    get: (path, headers = {}) => load(path, { headers }),
    post: (path, fields, headers = {}) =>
      load(path, {
        method: "POST",
        headers: { origin: url, "sec-fetch-site": "same-origin", ...headers },
        body: new URLSearchParams({ form: token, ...fields }),
      }),
    async signIn({ accessKeyId, secretAccessKey }) {
      await browser.get("/dashboard/sign-in");
      return await browser.post("/dashboard/sign-in", { accessKeyId, secret: secretAccessKey });
    },
  };
  return browser;
}

/** Opens a browser and signs in. */
export async function signedIn(url: string, key: Issued): Promise<Browser> {
  const browser = openBrowser(url);
  const answer = await browser.signIn(key);
  assert.equal(answer.status, 303, answer.html);
  return browser;
}
