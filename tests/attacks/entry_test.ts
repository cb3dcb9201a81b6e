/** Every door: which paths ask for a proof, what a proof of nobody costs, and who opens and closes. */
import assert from "node:assert/strict";
import type { Credential } from "../../access/keyring.ts";
import { bedrockRoutes } from "../../routes/bedrock/mod.ts";
import { checkProof } from "../../routes/auth/credential_check.ts";
import { supportedOperations } from "../../routes/s3/operation.ts";
import { startTestGateway } from "../gateway.ts";
import { paths as dashboardPaths } from "../../routes/dashboard/request.ts";
import { exchange } from "../raw.ts";
import { bedrockOperations, files, prepare, s3Operations } from "./operations.ts";
import type { Ask } from "./sign.ts";
import { withWorld } from "./world.ts";

/** Paths of every kind, from a seed, so that a failure comes again. */
function* randomPaths(count: number): Generator<string> {
  const pieces = [
    "healthz",
    "readyz",
    "metrics",
    "bedrock",
    "files",
    "..",
    ".",
    "",
    "%2e%2e",
    "%2F",
    "a",
    "model-invocation-job",
    "stop",
    "\\",
    ";",
    "healthz%00",
  ];
  let seed = 20261123;
  const next = (below: number) => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % below;
  for (let at = 0; at < count; at++) {
    const parts = Array.from({ length: 1 + next(5) }, () => pieces[next(pieces.length)] ?? "");
    yield `/${parts.join("/")}`;
  }
}

Deno.test("(21) no path but /healthz and /readyz is answered without a proof, on either listener", async () => {
  await withWorld(async (world) => {
    const { keys, url, host, gateway } = world;
    const root = gateway.gateway.s3Url ?? assert.fail();
    // The sweep covers every route and operation that there is.
    assert.deepEqual(
      bedrockRoutes.map(({ operation }) => operation).sort(),
      bedrockOperations.map(({ name }) => name).sort(),
    );
    assert.deepEqual(s3Operations.map(({ name }) => name).sort(), [...supportedOperations].sort());
    const place = await prepare(world, keys.owner);
    const before = await world.state();
    await world.upstream();
    const asks: Ask[] = [...s3Operations, ...bedrockOperations].map(({ ask }) => ask(place));
    for (const route of bedrockRoutes) {
      asks.push({ method: route.method, path: `/bedrock${route.path.replace(":id", "x")}` });
    }
    const paths = [
      "/",
      "/readyz",
      "/metrics",
      "/bedrock",
      "/bedrock/",
      "/bedrock/files/",
      "/healthz/",
      "/HEALTHZ",
      "/healthz;a",
      "//healthz",
      "/./healthz",
      "/x/../healthz",
      "/healthz%2F",
      "/bedrock/healthz",
      `${files}/healthz`,
      "/%68ealthz",
    ];
    // A page is asked for by people: they are sent to the one that takes their key.
    const signIn = "/dashboard/sign-in";
    const pages = ["/", ...Object.values(dashboardPaths)]
      .filter((path) => ![signIn, dashboardPaths.style, dashboardPaths.script].includes(path));
    for (const path of [...paths, ...pages, ...randomPaths(150)]) {
      for (const method of ["GET", "POST"]) asks.push({ method, path });
    }
    for (const method of ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "get", "FOO"]) {
      asks.push({ method, path: "/readyz" }, { method, path: files }, {
        method,
        path: "/bedrock/x",
      });
    }
    for (const ask of asks) {
      if (ask.path === "/healthz") continue;
      if (ask.path === "/readyz" && ask.method === "GET") continue;
      const { method, path, query = "", body = "" } = ask;
      const bare = { method, path, query, body };
      const answer = await world.send({ ...bare, headers: { ...ask.headers, host } });
      const said = `${method} ${path}: ${answer.status} ${answer.body}`;
      if (method === "GET" && pages.includes(path)) {
        assert.deepEqual([answer.status, answer.body], [303, ""], said);
        assert.ok(answer.headers.get("location")?.startsWith(signIn), said);
        continue;
      }
      assert.ok([400, 403].includes(answer.status), said);
    }
    for (const path of ["/", "/healthz", "/readyz", "/metrics", "/bucket/key", "/bedrock/files"]) {
      const answer = await exchange(root, `GET ${path} HTTP/1.1\r\nhost: ${root.slice(7)}\r\n\r\n`);
      assert.equal(answer?.status, 403, `${path}: ${answer?.body}`);
    }
    assert.equal(await world.state(), before);
    assert.deepEqual(await world.upstream(), []);
    const health = await fetch(`${url}/healthz`);
    assert.deepEqual([health.status, await health.json()], [200, { status: "ok" }]);
    const open = await fetch(`${url}/readyz`);
    assert.deepEqual([open.status, await open.json()], [200, { status: "ready" }]);
    const lines = () => gateway.logged.map((one) => JSON.parse(one));
    const isHealth = (one: { status?: number; operation?: string | null }) =>
      one.status === 200 && one.operation === null;
    await until(() => Promise.resolve(lines().some(isHealth)));
    const { accessKeyId, tenant, operation } = lines().find(isHealth);
    assert.deepEqual({ accessKeyId, tenant, operation }, {
      accessKeyId: null,
      tenant: null,
      operation: null,
    });
    for (const way of ["header", "link", "bearer"] as const) {
      for (const service of way === "bearer" ? ["bedrock"] as const : ["s3", "bedrock"] as const) {
        const ready = await world.ask({ service, method: "GET", path: "/readyz" }, keys.owner, way);
        assert.equal(ready.status, 200, `${way} ${service}: ${ready.body}`);
      }
    }
    for (const key of [keys.disabled, keys.expired]) {
      for (const way of ["header", "link", "bearer"] as const) {
        const ready = await world.ask(
          { service: "bedrock", method: "GET", path: "/readyz" },
          key,
          way,
        );
        assert.equal(ready.status, 403);
      }
    }
    assert.equal(
      (await world.ask({ method: "GET", path: files }, keys.owner, "bearer")).code,
      "InvalidRequest",
    );
  }, { env: { BATCHWAY_S3_PORT: "0" } });
});

Deno.test("(22) as much is computed for an unknown key as for a wrong signature", () => {
  const credential = (secrets: string[]): Credential => ({
    accessKeyId: "BWAKAAAAAAAAAAAAAAAA",
    policy: { tenant: "t", readOnly: false, native: false },
    disabled: false,
    expiresAt: undefined,
    secrets,
    bearerHashes: [],
  });
  const work = (known: Credential | undefined) => {
    const tried: string[] = [];
    assert.throws(() =>
      checkProof(known, 0, (secret) => {
        tried.push(secret);
        return false;
      }, "wrong")
    );
    return tried;
  };
  const [unknown, known, sealed] = [
    work(undefined),
    work(credential(["a".repeat(43)])),
    work(credential([])),
  ];
  assert.deepEqual([unknown.length, known.length, sealed.length], [1, 1, 1]);
  assert.ok((unknown[0]?.length ?? 0) >= 43);
  // Nobody can sign with what stands for the secret, not even whoever guesses it.
  assert.throws(() => checkProof(undefined, 0, () => true, "wrong"), /not known/);
  assert.throws(() => checkProof(credential([]), 0, () => false, "wrong"), /wrong/);
});

Deno.test("a gateway without keys answers no page of another site, and no name that points here", async () => {
  await withWorld(async (world) => {
    const { host } = world;
    const port = host.split(":")[1];
    const send = (headers: Record<string, string>, method = "GET") =>
      world.send({ method, path: files, query: "", headers: { host, ...headers }, body: "" });
    for (
      const [headers, status] of [
        [{}, 200],
        [{ host: `localhost:${port}` }, 200],
        [{ host: `bucket.localhost:${port}` }, 200],
        [{ host: `[::1]:${port}` }, 200],
        [{ origin: "http://localhost:3000" }, 200],
        [{ "sec-fetch-site": "same-origin" }, 200],
        [{ "sec-fetch-site": "none" }, 200],
        [{ "sec-fetch-site": "cross-site" }, 403],
        [{ origin: "https://evil.example" }, 403],
        [{ origin: "http://localhost.evil.example" }, 403],
        [{ origin: "http://127.0.0.1.evil.example" }, 403],
        [{ origin: "null" }, 403],
        [{ origin: "" }, 403],
        [{ origin: "file://" }, 403],
        [{ host: "evil.example" }, 403],
        [{ host: `evil.example:${port}` }, 403],
        [{ host: `127.0.0.1.evil.example:${port}` }, 403],
        [{ host: "localhost.evil.example" }, 403],
        [{ host: "localhost." }, 403],
      ] as const
    ) {
      const answer = await send(headers);
      assert.equal(answer.status, status, `${JSON.stringify(headers)}: ${answer.body}`);
    }
    const before = await world.state();
    const form = { origin: "https://evil.example", "content-type": "text/plain" };
    const job = { method: "POST", path: "/bedrock/model-invocation-job", query: "", body: "{}" };
    const posted = await world.send({ ...job, headers: { host, ...form } });
    assert.equal(posted.code, "AccessDeniedException");
    assert.equal(await world.state(), before);
  }, { open: true });
});

Deno.test("the first key closes a gateway that runs, also one that is disabled at once", async () => {
  const close = (disabled: boolean) =>
    withWorld(async (world) => {
      const { host, url } = world;
      const bare = { method: "GET", path: files, query: "", headers: { host }, body: "" };
      assert.equal((await world.send(bare)).status, 200);
      const key = await world.issue();
      if (disabled) await world.change("disable", key);
      // What a running gateway read is good for three seconds.
      await until(async () => (await world.send(bare)).status === 403);
      const answer = await world.ask({ method: "GET", path: files }, key);
      assert.equal(answer.status, disabled ? 403 : 200, answer.body);
      assert.equal((await fetch(`${url}/healthz`).then((one) => one.json())).status, "ok");
    }, { open: true });
  await Promise.all([close(false), close(true)]);
});

Deno.test("without its last key a gateway that others reach refuses all", async () => {
  await withWorld(async (world) => {
    const { keys, host } = world;
    const bare = { method: "GET", path: files, query: "", headers: { host }, body: "" };
    assert.equal((await world.ask({ method: "GET", path: files }, keys.owner)).status, 200);
    for (const key of Object.values(keys)) await world.change("remove", key);
    await until(async () =>
      (await world.ask({ method: "GET", path: files }, keys.owner)).status === 403
    );
    const answer = await world.send(bare);
    assert.equal(answer.code, "AccessDenied");
    assert.match(answer.body, /no credential yet/);
  }, { env: { BATCHWAY_HOST: "0.0.0.0" } });
  await assert.rejects(
    startTestGateway({ env: { BATCHWAY_HOST: "0.0.0.0" } }).then((one) => one.stop()),
    /BATCHWAY_ALLOW_ANONYMOUS/,
  );
});

/** Asks again and again, for as long as a change may take. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let at = 0; at < 100; at++) {
    if (await isSo()) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.fail("the gateway did not learn of the change within 10 s");
}
