import assert from "node:assert/strict";
import { startTestGateway } from "../gateway.ts";
import { startWorld, type World } from "../attacks/world.ts";
import { type Key, signHeader, signQuery } from "../attacks/sign.ts";

/** The parts of a credential's JSON that tests look at. */
interface Facts extends Key {
  readonly label?: string;
  readonly admin?: boolean;
  readonly disabled: boolean;
  readonly lastUsedAt?: string;
  readonly tenant: string;
  readonly secrets: readonly unknown[];
}

/** Runs work on a gateway with the usual keys and one of an administrator. */
async function withAdmin(work: (world: World, admin: Key) => Promise<void>): Promise<void> {
  const world = await startWorld();
  try {
    await work(world, await world.issue({ tenant: "operators", admin: true }));
  } finally {
    await world.stop();
  }
}

/** Sends JSON with a signature. */
async function ask(world: World, key: Key, method: string, path: string, body?: unknown) {
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  const answer = await world.ask({ method, path, body: text, service: "bedrock" }, key);
  const isJson = answer.headers.get("content-type") === "application/json";
  return { status: answer.status, body: isJson ? JSON.parse(answer.body) : answer.body };
}

const asked = { tenant: "made", providers: ["openai"], label: "Nightly", buckets: ["a-*"] };

Deno.test("an admin key issues, lists, changes, rotates, disables and removes keys", () =>
  withAdmin(async (world, admin) => {
    const made = await ask(world, admin, "POST", "/keys", asked);
    assert.equal(made.status, 201);
    const key: Facts = made.body;
    const jobs = "/bedrock/model-invocation-jobs";
    const uses = async (one: Key) =>
      (await world.ask({ method: "GET", path: jobs, service: "bedrock" }, one)).status;
    assert.equal(await uses(key), 200);
    const listed = async () => {
      const { status, body } = await ask(world, admin, "GET", "/keys");
      assert.equal(status, 200);
      assert.ok(!JSON.stringify(body).includes(key.secretAccessKey));
      const all: Facts[] = body;
      return all.find(({ accessKeyId }) => accessKeyId === key.accessKeyId);
    };
    // The use is written beside the answer.
    for (let n = 0; n < 100 && (await listed())?.lastUsedAt === undefined; n++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const { lastUsedAt, label, tenant } = await listed() ?? {};
    assert.deepEqual([label, tenant], ["Nightly", "made"]);
    assert.match(String(lastUsedAt), /^20\d\d-.*Z$/);
    const path = `/keys/${key.accessKeyId}`;
    const patched = await ask(world, admin, "PATCH", path, { label: null, readOnly: true });
    assert.equal(patched.status, 200);
    assert.deepEqual([patched.body.label, patched.body.readOnly, patched.body.buckets], [
      undefined,
      true,
      ["a-*"],
    ]);
    const rotated = await ask(world, admin, "PATCH", path, { rotate: true });
    assert.equal(rotated.body.secrets.length, 2);
    assert.equal(await uses(rotated.body), 200);
    assert.equal(await uses(key), 200);
    assert.equal((await ask(world, admin, "PATCH", path, { retire: true })).status, 200);
    assert.equal(await uses(key), 403);
    assert.equal((await ask(world, admin, "PATCH", path, { disabled: true })).status, 200);
    assert.equal(await uses(rotated.body), 403);
    assert.equal((await ask(world, admin, "PATCH", path, { disabled: false })).status, 200);
    assert.equal(await uses(rotated.body), 200);
    assert.deepEqual(await ask(world, admin, "DELETE", path), {
      status: 200,
      body: { accessKeyId: key.accessKeyId, done: "remove" },
    });
    assert.equal(await listed(), undefined);
    assert.equal(await uses(rotated.body), 403);
    const log = world.gateway.logged.join();
    for (const { secretAccessKey, bearerToken } of [key, rotated.body]) {
      assert.ok(!log.includes(secretAccessKey) && !log.includes(bearerToken));
    }
    const gone = await ask(world, admin, "DELETE", path);
    assert.equal(gone.status, 404);
    assert.match(gone.body, /There is no credential BWAK/);
  }));

Deno.test("what is wrong with a request for keys is said, and nothing is changed", () =>
  withAdmin(async (world, admin) => {
    const before = (await ask(world, admin, "GET", "/keys")).body.length;
    const one = `/keys/${world.keys.owner.accessKeyId}`;
    const cases: readonly (readonly [string, string, unknown, number, RegExp])[] = [
      ["POST", "/keys", "", 400, /not valid JSON/],
      ["POST", "/keys", "{", 400, /not valid JSON/],
      ["POST", "/keys", "[]", 400, /not an object/],
      ["POST", "/keys", {}, 400, /tenant is missing/],
      [
        "POST",
        "/keys",
        { ...asked, lable: "x" },
        400,
        /lable is not a setting .* nearest is label/,
      ],
      ["POST", "/keys", { ...asked, readonly: true }, 400, /nearest is readOnly/],
      ["POST", "/keys", { ...asked, providers: "openai" }, 400, /providers must be a list/],
      ["POST", "/keys", { ...asked, providers: ["opnai"] }, 400, /opnai is not one of/],
      ["POST", "/keys", { ...asked, native: "yes" }, 400, /native must be true or false/],
      ["POST", "/keys", { ...asked, label: "x".repeat(200) }, 400, /label must be 1 to 128/],
      ["POST", "/keys", { ...asked, expiresAt: "2020-01-01" }, 400, /expiresAt is in the past/],
      ["PATCH", one, { disable: true }, 400, /nearest is disabled/],
      ["PATCH", one, { tenant: "x" }, 400, /tenant cannot be changed/],
      ["PATCH", one, { providers: null }, 400, /providers cannot be taken back/],
      ["PATCH", one, { rotate: "yes" }, 400, /rotate must be true or false/],
      ["PATCH", "/keys/BWAKNONE", { label: "x" }, 404, /There is no credential BWAKNONE/],
      ["PUT", "/keys", asked, 405, /GET and POST/],
      ["GET", one, undefined, 405, /PATCH and DELETE/],
    ];
    for (const [method, path, body, status, reason] of cases) {
      const answer = await ask(world, admin, method, path, body);
      assert.equal(answer.status, status, `${method} ${path} ${JSON.stringify(body)}`);
      assert.match(answer.body, reason);
    }
    assert.equal((await ask(world, admin, "GET", "/keys")).body.length, before);
  }));

Deno.test("keys are for admin keys, and for those that can write where they are changed", () =>
  withAdmin(async (world, admin) => {
    const reading = await world.issue({ tenant: "operators", admin: true, readOnly: true });
    assert.equal((await ask(world, reading, "GET", "/keys")).status, 200);
    for (const [key, method] of [[world.keys.owner, "GET"], [reading, "POST"]] as const) {
      const { status, body } = await ask(
        world,
        key,
        method,
        "/keys",
        method === "GET" ? undefined : asked,
      );
      assert.equal(status, 403);
      assert.match(body, key === reading ? /read-only/ : /not an admin key/);
    }
    const headers = { host: world.host, authorization: `Bearer ${admin.bearerToken}` };
    const bare = { method: "GET", path: "/keys", query: "", body: "" };
    assert.equal((await world.send({ ...bare, headers })).status, 200);
    assert.equal((await world.send({ ...bare, headers: { host: world.host } })).status, 403);
  }));

Deno.test("an admin key cannot lock itself out, and can everything else with itself and with others", () =>
  withAdmin(async (world, admin) => {
    const itself = `/keys/${admin.accessKeyId}`;
    const lockouts: readonly (readonly [method: string, body: unknown, reason: RegExp])[] = [
      ["DELETE", undefined, /cannot remove itself/],
      ["PATCH", { disabled: true }, /cannot disable itself/],
      ["PATCH", { admin: false, label: "x" }, /cannot give up/],
      ["PATCH", { admin: null }, /cannot give up/],
      ["PATCH", { readOnly: true }, /cannot give up/],
    ];
    for (const [method, body, reason] of lockouts) {
      const answer = await ask(world, admin, method, itself, body);
      assert.equal(answer.status, 409);
      assert.match(answer.body, reason);
    }
    const kept = await ask(world, admin, "PATCH", itself, { label: "me", disabled: false });
    assert.deepEqual([kept.status, kept.body.label], [200, "me"]);
    const other = await world.issue({ tenant: "operators", admin: true });
    const path = `/keys/${other.accessKeyId}`;
    for (const body of [{ readOnly: true }, { admin: null }, { disabled: true }]) {
      assert.equal((await ask(world, admin, "PATCH", path, body)).status, 200);
    }
    assert.equal((await ask(world, admin, "DELETE", path)).status, 200);
  }));

Deno.test("a signature for keys covers the body that comes, whatever service it names", () =>
  withAdmin(async (world, admin) => {
    const { host } = world;
    const body = JSON.stringify(asked);
    const other = JSON.stringify({ ...asked, admin: true });
    const post = { method: "POST", path: "/keys", body };
    for (const service of ["s3", "bedrock"] as const) {
      const wire = signHeader(host, { ...post, service }, admin);
      assert.equal((await world.send(wire)).status, 201, service);
      const changed = { ...wire.headers, "content-length": `${other.length}` };
      const forged = await world.send({ ...wire, headers: changed, body: other });
      assert.equal(forged.status, 403, service);
    }
    const unsigned = signHeader(host, { ...post, payload: "UNSIGNED-PAYLOAD" }, admin);
    assert.equal((await world.send(unsigned)).status, 403);
    const link = signQuery(host, { ...post, payload: "UNSIGNED-PAYLOAD" }, admin);
    assert.equal((await world.send(link)).status, 403);
    const get = signQuery(host, { method: "GET", path: "/keys" }, admin);
    assert.equal((await world.send(get)).status, 200);
  }));

Deno.test("without a key a program of this machine issues the first one, and a web page cannot", async () => {
  const secret = { BATCHWAY_SECRET_KEY: new Uint8Array(32).toBase64() };
  const { url, stop } = await startTestGateway({ env: secret });
  const post = async (headers: Record<string, string>) => {
    const answer = await fetch(`${url}/keys`, {
      method: "POST",
      headers,
      body: JSON.stringify({ ...asked, admin: true }),
    });
    return { status: answer.status, text: await answer.text() };
  };
  const json = { "content-type": "application/json" };
  try {
    assert.equal((await post({ "content-type": "text/plain" })).status, 403);
    assert.equal((await post({ "content-type": "application/jsonp" })).status, 403);
    assert.equal((await post({ ...json, origin: "http://localhost" })).status, 403);
    assert.equal((await post({ ...json, "sec-fetch-site": "same-origin" })).status, 403);
    assert.equal((await post({ ...json, "x-forwarded-for": "198.51.100.1" })).status, 403);
    const empty = await fetch(`${url}/keys`);
    assert.deepEqual([empty.status, await empty.json()], [200, []]);
    const first = await post(json);
    assert.equal(first.status, 201);
    const { bearerToken } = JSON.parse(first.text);
    assert.equal((await post(json)).status, 403);
    const headers = { authorization: `Bearer ${bearerToken}` };
    const listed = await fetch(`${url}/keys`, { headers });
    assert.deepEqual([listed.status, (await listed.json()).length], [200, 1]);
  } finally {
    await stop();
  }
});

Deno.test("a gateway that anyone may use issues no key over HTTP, and one without a place for its secret says so", async () => {
  const options = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(asked),
  };
  const open = await startTestGateway({ env: { BATCHWAY_ALLOW_ANONYMOUS: "1" } });
  try {
    const refused = await fetch(`${open.url}/keys`, options);
    assert.equal(refused.status, 403);
    assert.match(await refused.text(), /only a program on the gateway's machine/);
  } finally {
    await open.stop();
  }
  const without = await startTestGateway();
  try {
    const answer = await fetch(`${without.url}/keys`, options);
    assert.equal(answer.status, 409);
    assert.match(await answer.text(), /BATCHWAY_SECRET_KEY is not set/);
  } finally {
    await without.stop();
  }
});
