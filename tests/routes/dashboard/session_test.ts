/** Who gets into the dashboard, and for how long. */
import assert from "node:assert/strict";
import { exchange } from "../../raw.ts";
import { withKeys } from "../../keys.ts";
import { withWorld } from "../../attacks/world.ts";
import { openBrowser, signedIn } from "./browser.ts";

Deno.test("a sign-in with an access key and its secret opens a session in a strict cookie", async () => {
  await withWorld(async ({ url, keys }) => {
    const browser = openBrowser(url);
    const visitor = await browser.get("/");
    assert.equal(visitor.status, 303);
    assert.equal(visitor.headers.get("location"), "/dashboard/sign-in");
    const page = await browser.get("/dashboard/sign-in");
    assert.equal(page.status, 200);
    assert.match(page.html, /Access key id/);
    const answer = await browser.signIn(keys.owner);
    assert.equal(answer.status, 303);
    assert.equal(answer.headers.get("location"), "/");
    const cookie = answer.headers.get("set-cookie") ?? "";
    assert.match(cookie, /^batchway_session=[A-Za-z0-9_-]+; Path=\/; Max-Age=28800;/);
    assert.match(cookie, /; HttpOnly; SameSite=Strict$/);
    const jobs = await browser.get("/");
    assert.equal(jobs.status, 200);
    assert.match(jobs.html, /<h1>Jobs<\/h1>/);
    const out = await browser.post("/dashboard/sign-out", {});
    assert.equal(out.status, 303);
    assert.equal(browser.cookies.size, 0);
    assert.equal((await browser.get("/")).status, 303);
  });
});

Deno.test("a bearer token signs in without an id, and behind a trusted proxy with TLS the cookie is Secure", async () => {
  await withWorld(async ({ url, keys: { owner } }) => {
    const browser = openBrowser(url);
    await browser.get("/dashboard/sign-in");
    const proxied = { "x-forwarded-proto": "https" };
    const answer = await browser.post(
      "/dashboard/sign-in?to=%2Fdashboard%2Fjob%3Fid%3Dx",
      { accessKeyId: "", secret: owner.bearerToken },
      proxied,
    );
    assert.equal(answer.headers.get("location"), "/dashboard/job?id=x");
    assert.match(answer.headers.get("set-cookie") ?? "", /; Secure$/);
  }, { env: { BATCHWAY_TRUST_PROXY: "1" } });
});

Deno.test("a sign-in leads to a page of the dashboard only, and over plain HTTP to a cookie without Secure", async () => {
  await withWorld(async ({ url, keys: { owner } }) => {
    for (
      const to of [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/bedrock",
        "/?\r\nx: y",
        "/?é",
      ]
    ) {
      const browser = openBrowser(url);
      await browser.get("/dashboard/sign-in");
      const answer = await browser.post(`/dashboard/sign-in?to=${encodeURIComponent(to)}`, {
        accessKeyId: owner.accessKeyId,
        secret: owner.secretAccessKey,
      }, { "x-forwarded-proto": "https" });
      assert.equal(answer.headers.get("location"), "/", to);
      assert.doesNotMatch(answer.headers.get("set-cookie") ?? "", /Secure/);
    }
  });
});

Deno.test("a session ends at once with its key: disabled, removed, or rotated", async () => {
  await withWorld(async ({ url, issue, change }) => {
    for (const action of ["disable", "remove"] as const) {
      const key = await issue();
      const browser = await signedIn(url, key);
      assert.equal((await browser.get("/")).status, 200);
      await change(action, key);
      assert.equal((await browser.get("/")).status, 303, action);
      assert.equal((await browser.post("/dashboard/stop", {})).status, 403, action);
    }
    const key = await issue();
    const browser = await signedIn(url, key);
    const value = browser.cookies.get("batchway_session") ?? assert.fail();
    for (const forged of [`${value}A`, value.slice(0, -1), `B${value.slice(1)}`, "x", ""]) {
      const cookie = { cookie: `batchway_session=${forged}` };
      assert.equal((await openBrowser(url).get("/", cookie)).status, 303, forged);
    }
    const twice = { cookie: `batchway_session=${value}; batchway_session=${value}` };
    assert.equal((await openBrowser(url).get("/", twice)).status, 303);
  });
});

Deno.test("a rotation ends the sessions of a key, and its new secret opens others", async () => {
  await withKeys(async ({ url }, keys) => {
    const key = await keys.add({});
    const browser = await signedIn(url, key);
    assert.equal((await browser.get("/")).status, 200);
    const rotated = await keys.rotate(key.accessKeyId);
    assert.equal((await browser.get("/")).status, 303);
    assert.equal((await (await signedIn(url, rotated)).get("/")).status, 200);
  });
});

Deno.test("a wrong secret is refused in the same words for known and unknown keys, audited, and slowed down", async () => {
  await withWorld(async ({ url, keys, gateway }) => {
    const browser = openBrowser(url);
    await browser.get("/dashboard/sign-in");
    const wrong = (accessKeyId: string, secret: string) =>
      browser.post("/dashboard/sign-in", { accessKeyId, secret });
    const known = await wrong(keys.owner.accessKeyId, "wrong");
    const unknown = await wrong("BWAKAAAAAAAAAAAAAAAA", "wrong");
    const told = (html: string) => /role="alert">([^<]*)</.exec(html)?.[1] ?? assert.fail(html);
    assert.equal(known.status, 403);
    assert.equal(told(known.html), told(unknown.html));
    assert.equal((await wrong("", "")).status, 403);
    assert.equal((await wrong(keys.owner.accessKeyId, "x".repeat(4_000))).status, 403);
    const line = gateway.logged.map((one) => one === "" ? {} : JSON.parse(one))
      .find(({ operation }) => operation === "SignIn");
    assert.equal(line.accessKeyId, keys.owner.accessKeyId);
    assert.equal(line.errorCode, "InvalidAccessKeyId");
    for (let tries = 0; tries < 6; tries++) {
      assert.equal((await wrong(`nobody-${tries}`, "wrong")).status, 403);
    }
    const slow = await wrong(keys.owner.accessKeyId, keys.owner.secretAccessKey);
    assert.equal(slow.status, 429, "from this address too many have failed");
    assert.ok(Number(slow.headers.get("retry-after")) > 0);
    assert.equal(browser.cookies.size, 0);
  });
});

Deno.test("a disabled or expired key cannot sign in, and says so only to its owner", async () => {
  await withWorld(async ({ url, keys }) => {
    for (const key of [keys.disabled, keys.expired]) {
      const browser = openBrowser(url);
      const answer = await browser.signIn(key);
      assert.equal(answer.status, 403);
      assert.match(answer.html, /disabled|expired/);
      const stranger = await browser.post("/dashboard/sign-in", {
        accessKeyId: key.accessKeyId,
        secret: "wrong",
      });
      assert.doesNotMatch(stranger.html, /disabled|expired/);
    }
  });
});

Deno.test("a form must come from a page of the same session and the same origin", async () => {
  await withWorld(async ({ url, keys }) => {
    const browser = await signedIn(url, keys.owner);
    await browser.get("/");
    const post = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
      browser.post("/dashboard/stop", { id: "abcdefghijkl", ...fields }, headers);
    assert.equal((await post({ form: "" })).status, 403, "without the token");
    const other = await signedIn(url, keys.other);
    const foreign = /name="form" value="([^"]+)"/.exec((await other.get("/")).html)?.[1] ?? "";
    assert.equal((await post({ form: foreign })).status, 403, "another session's token");
    await browser.get("/");
    for (
      const headers of [
        { origin: "https://evil.example" },
        { origin: "null" },
        { origin: url.replace(/:[0-9]+$/, ":1") },
        { "sec-fetch-site": "cross-site" },
        { "sec-fetch-site": "same-site" },
      ]
    ) assert.equal((await post({}, headers)).status, 403, JSON.stringify(headers));
    assert.notEqual((await post({ provider: "openai" })).status, 403, "its own form is read");
  });
});

Deno.test("without keys the dashboard is for this machine: another Host or Origin is refused", async () => {
  await withWorld(async ({ url, host }) => {
    assert.equal((await openBrowser(url).get("/")).status, 200);
    const ask = async (head: string) =>
      (await exchange(url, `GET / HTTP/1.1\r\nConnection: close\r\n${head}\r\n\r\n`))?.status;
    assert.equal(await ask(`Host: ${host}`), 200);
    assert.equal(await ask("Host: rebound.evil.example"), 403);
    assert.equal(await ask(`Host: rebound.evil.example:${host.split(":")[1]}`), 403);
    assert.equal(await ask(`Host: ${host}\r\nOrigin: https://evil.example`), 403);
    assert.equal(await ask(`Host: ${host}\r\nSec-Fetch-Site: cross-site`), 403);
  }, { open: true });
});

Deno.test("without keys but open to all, the dashboard still answers only on this machine", async () => {
  await withWorld(async ({ url }) => {
    assert.equal((await openBrowser(url).get("/")).status, 200);
    const away = { "x-forwarded-for": "192.0.2.7" };
    assert.equal((await openBrowser(url).get("/", away)).status, 403);
  }, { open: true, env: { BATCHWAY_ALLOW_ANONYMOUS: "1", BATCHWAY_TRUST_PROXY: "1" } });
});

Deno.test("every page has a strict policy, no script of its own, and no frame around it", async () => {
  await withWorld(async ({ url, keys }) => {
    const browser = await signedIn(url, keys.owner);
    for (const path of ["/", "/dashboard/sign-in", "/dashboard/nowhere", "/dashboard/style.css"]) {
      const { headers, html } = await browser.get(path);
      assert.equal(
        headers.get("content-security-policy"),
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
          "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      );
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.doesNotMatch(html, /<script>|<style|\son[a-z]+=|style="|https?:\/\//, path);
    }
  });
});

Deno.test("an object that a browser shows as a page runs no script at the dashboard's origin", async () => {
  await withWorld(async ({ ask, keys }) => {
    const path = "/bedrock/files/data/page.html";
    const headers = { "content-type": "text/html" };
    const put = await ask({ method: "PUT", path, body: "<script></script>", headers }, keys.owner);
    assert.equal(put.status, 200);
    for (const way of ["header", "link"] as const) {
      for (
        const [sent, wanted] of [
          [{ accept: "text/html,application/xhtml+xml,*/*;q=0.8" }, "sandbox"],
          [{ "sec-fetch-dest": "iframe" }, "sandbox"],
          [{ accept: "*/*" }, null],
          [{}, null],
        ] as const
      ) {
        const answer = await ask({ method: "GET", path, headers: sent }, keys.owner, way);
        assert.equal(answer.status, 200, answer.body);
        assert.equal(answer.headers.get("content-security-policy"), wanted, JSON.stringify(sent));
      }
    }
  });
});
