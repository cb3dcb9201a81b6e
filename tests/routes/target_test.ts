import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { hostname, type Target, targetOf } from "../../routes/target.ts";
import { exchange, type RawAnswer } from "../raw.ts";

/** What a listener that does nothing but `targetOf` finds in a request's first lines. */
async function found(head: string): Promise<RawAnswer | undefined> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    try {
      return Response.json(targetOf(request));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return new Response(`${error.kind}: ${error.message}`, { status: 400 });
    }
  });
  try {
    return await exchange(`http://127.0.0.1:${server.addr.port}`, `${head}\r\n\r\n`);
  } finally {
    await server.shutdown();
  }
}

/** The target of a request, whose answer must be 200. */
async function target(requestTarget: string, host = "gateway.example:8080"): Promise<Target> {
  const answer = await found(`GET ${requestTarget} HTTP/1.1\r\nHost: ${host}`);
  assert.equal(answer?.status, 200, `${answer?.body}`);
  const utf8 = Uint8Array.from(answer.body, (char) => char.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(utf8));
}

const paths: readonly string[] = [
  "/",
  "/b/../c",
  "/b/./c",
  "/..",
  "/.",
  "//",
  "//b//k",
  "/b//k/",
  "/b/%2F",
  "/b/%2e%2e/k",
  "/b/%00",
  "/b/%zz",
  "/b/%",
  "/b/a+b=c",
  "/b/\\k",
  '/b/"<>`{}|^',
  "/b/http://other.example/x",
  "/b/@x:y",
  "/b/;,!$&'()*",
];

for (const path of paths) {
  Deno.test(`the path ${path} arrives as it was sent`, async () => {
    assert.deepEqual(await target(path), { host: "gateway.example:8080", path, query: "" });
  });
}

const queries: readonly [sent: string, path: string, query: string][] = [
  ["/b?", "/b", ""],
  ["/b?a", "/b", "a"],
  ["/b?a=%2F&a=/../", "/b", "a=%2F&a=/../"],
  ["/b?a=?&b", "/b", "a=?&b"],
  ["/b??x", "/b", "?x"],
  ["/b%3Fx?y", "/b%3Fx", "y"],
  ["/?list-type=2", "/", "list-type=2"],
];

for (const [sent, path, query] of queries) {
  Deno.test(`${sent} is divided at its first question mark`, async () => {
    assert.deepEqual(await target(sent), { host: "gateway.example:8080", path, query });
  });
}

Deno.test("a key's bytes that were not escaped arrive as the characters that they are", async () => {
  assert.equal((await target("/b/\xc3\xa9\xf0\x9f\x8e\x89")).path, "/b/é🎉");
});

const hosts: readonly [sent: string, host: string][] = [
  ["localhost", "localhost"],
  ["LocalHost:8080", "localhost:8080"],
  ["127.0.0.1:1", "127.0.0.1:1"],
  ["[::1]:8080", "[::1]:8080"],
  ["my-bucket.localhost:8080", "my-bucket.localhost:8080"],
  ["my.bucket_1.localhost", "my.bucket_1.localhost"],
];

for (const [sent, host] of hosts) {
  Deno.test(`the Host ${sent} is understood`, async () => {
    assert.deepEqual(await target("/b/k?q", sent), { host, path: "/b/k", query: "q" });
  });
}

const wrongHosts: readonly string[] = [
  "a/evil",
  "a/bedrock/files",
  "a?q=",
  "a#f",
  "user:password@a",
  "a b",
  "a,b",
  "a:port",
  "a:123456",
  "[::1",
  "a%2Fb",
  "é",
];

for (const host of wrongHosts) {
  Deno.test(`the Host ${host} is refused and moves nothing`, async () => {
    const bytes = String.fromCharCode(...new TextEncoder().encode(host));
    const answer = await found(`GET /b/k HTTP/1.1\r\nHost: ${bytes}`);
    assert.equal(answer?.status, 400, `${answer?.body}`);
  });
}

Deno.test("two Hosts, or one that is not the target's, are refused", async () => {
  const twice = await found("GET /b HTTP/1.1\r\nHost: a\r\nHost: b");
  assert.equal(twice?.status, 400);
  const differing = await found("GET http://a.example/b HTTP/1.1\r\nHost: b.example");
  assert.equal(differing?.status, 400);
  assert.match(differing.body, /^invalid: The Host header/);
});

Deno.test("a target with its own authority is cut like any other", async () => {
  const answer = await found("GET http://a.example:8080/b/../k?q HTTP/1.1\r\nHost: a.example:8080");
  assert.deepEqual(JSON.parse(answer?.body ?? ""), {
    host: "a.example:8080",
    path: "/b/../k",
    query: "q",
  });
  const bare = await found("GET http://a.example?q HTTP/1.1\r\nHost: a.example");
  assert.deepEqual(JSON.parse(bare?.body ?? ""), { host: "a.example", path: "/", query: "q" });
});

Deno.test("a request without a Host is one to the listener's own address", async () => {
  for (
    const head of ["GET /b/../k HTTP/1.1", "GET /b/../k HTTP/1.0", "GET /b/../k HTTP/1.1\r\nHost:"]
  ) {
    const answer = await found(head);
    assert.equal(answer?.status, 200, `${answer?.body}`);
    assert.equal(JSON.parse(answer.body).path, "/b/../k");
  }
});

Deno.test("bytes that no target may hold never reach the gateway", async () => {
  for (const path of ["/a\0b", "/a\tb", "/a\xffb", "/a\x7f\x01"]) {
    const answer = await found(`GET ${path} HTTP/1.1\r\nHost: a`);
    assert.equal(answer?.status, 400, JSON.stringify(path));
  }
});

Deno.test("a host is returned without its port", () => {
  assert.equal(hostname("a.localhost:8080"), "a.localhost");
  assert.equal(hostname("[::1]:8080"), "[::1]");
  assert.equal(hostname("[::1]"), "[::1]");
  assert.equal(hostname("localhost"), "localhost");
});
