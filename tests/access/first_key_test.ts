import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { createCatalog } from "../../catalog/catalog.ts";
import { openKv } from "../../catalog/kv.ts";
import { parseConfig } from "../../config/config.ts";
import { bearerOf } from "../../access/issue.ts";
import { startWorld } from "../attacks/world.ts";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { startTestGateway } from "../gateway.ts";
import { runProgram } from "../program.ts";

const program = fileURLToPath(new URL("../../batchway.ts", import.meta.url));

const accessKeyId = "BATCHWAYADMIN001";
const secretAccessKey = "s3cret/of+the=first-key";
const env = { BATCHWAY_ADMIN_KEY_ID: accessKeyId, BATCHWAY_ADMIN_SECRET: secretAccessKey };
const key = { accessKeyId, secretAccessKey, bearerToken: bearerOf(accessKeyId, secretAccessKey) };

Deno.test("the first key signs, presigns and bears, closes the gateway, and is kept nowhere", async () => {
  const world = await startWorld({ open: true, env });
  try {
    world.hides(secretAccessKey);
    const path = "/bedrock/files/first/a.jsonl";
    const host = { host: world.host };
    const send = (method: string, path: string, headers = {}) =>
      world.send({ method, path, query: "", headers: { ...host, ...headers }, body: "" });
    assert.equal((await send("GET", "/bedrock/files")).status, 403);
    assert.equal(
      (await world.ask({ method: "PUT", path: "/bedrock/files/first" }, key)).status,
      200,
    );
    assert.equal((await world.ask({ method: "PUT", path, body: "x" }, key)).status, 200);
    assert.equal((await world.ask({ method: "GET", path }, key, "link")).status, 200);
    assert.equal((await world.ask({ method: "GET", path }, key, "oldLink")).status, 200);
    const jobs = "/bedrock/model-invocation-jobs";
    const authorization = `Bearer ${key.bearerToken}`;
    assert.equal((await send("GET", jobs, { authorization })).status, 200);
    assert.equal((await send("GET", "/metrics", { authorization })).status, 200);
    assert.equal((await send("GET", jobs, { authorization: `${authorization}x` })).status, 403);
    const wrong = { ...key, secretAccessKey: "another-secret-of-it" };
    assert.equal((await world.ask({ method: "GET", path }, wrong)).code, "SignatureDoesNotMatch");
    const kv = await openKv(`${world.folder}/catalog.kv`);
    try {
      const { credentials } = createCatalog(kv, () => Promise.resolve());
      assert.deepEqual(await credentials.all(), []);
      assert.equal((await credentials.lastUses()).size, 0);
      for await (const entry of kv.list({ prefix: [] })) {
        assert.ok(!Deno.inspect(entry, { depth: 9 }).includes(secretAccessKey), `${entry.key}`);
      }
    } finally {
      kv.close();
    }
  } finally {
    await world.stop();
  }
});

Deno.test("issued keys are good beside the first one, and one of its id stops the start", async () => {
  const world = await startWorld({ env });
  try {
    const path = "/bedrock/model-invocation-jobs";
    for (const one of [key, world.keys.owner]) {
      assert.equal((await world.ask({ method: "GET", path, service: "bedrock" }, one)).status, 200);
    }
    const keys = { method: "GET", path: "/keys", service: "bedrock" } as const;
    const { body } = await world.ask(keys, key);
    const [listed, ...issued] = JSON.parse(body);
    assert.equal(listed.accessKeyId, accessKeyId);
    assert.deepEqual([listed.label, listed.admin, listed.secrets], [
      "BATCHWAY_ADMIN_KEY_ID",
      true,
      [],
    ]);
    assert.ok(listed.providers.includes("openai") && listed.providers.includes("bedrock"));
    assert.equal(issued.length, Object.keys(world.keys).length);
    assert.ok(!body.includes(secretAccessKey));
    for (const [method, text] of [["DELETE", ""], ["PATCH", '{"rotate":true}']] as const) {
      const path = `/keys/${accessKeyId}`;
      const { status, body } = await world.ask({ ...keys, method, path, body: text }, key);
      assert.equal(status, 409);
      assert.match(body, /itself|comes from the environment/);
    }
    const args = ["keys", "list", "--data", world.folder];
    const shown = await runProgram(Deno.execPath(), ["run", "-A", "--quiet", program, ...args], {
      HOME: Deno.env.get("HOME") ?? world.folder,
      ...(Deno.env.has("DENO_DIR") && { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" }),
      ...sandboxEnvironment(world.gateway.sandbox),
      ...env,
    });
    assert.match(shown.stdout, new RegExp(`^${accessKeyId}  good  label="BATCHWAY_ADMIN_KEY_ID"`));
    await assert.rejects(
      startTestGateway({
        providers: world.gateway.sandbox,
        catalogPath: `${world.folder}/catalog.kv`,
        env: { ...env, BATCHWAY_ADMIN_KEY_ID: world.keys.owner.accessKeyId },
      }),
      /a key of that id was issued\. Choose another id/,
    );
  } finally {
    await world.stop();
  }
});

Deno.test("with a first key a gateway may listen beyond loopback", async () => {
  const beyond = { BATCHWAY_HOST: "0.0.0.0" };
  await assert.rejects(startTestGateway({ env: beyond }), /set BATCHWAY_ADMIN_KEY_ID/);
  const gateway = await startTestGateway({ env: { ...beyond, ...env } });
  await gateway.stop();
});

Deno.test("a first key needs an id and a secret, both of their forms", async () => {
  const cases: readonly [id: string, secret: string, reason: RegExp][] = [
    [accessKeyId, "", /BATCHWAY_ADMIN_SECRET: is missing; BATCHWAY_ADMIN_KEY_ID needs it/],
    ["", secretAccessKey, /BATCHWAY_ADMIN_KEY_ID: is missing/],
    ["short", secretAccessKey, /BATCHWAY_ADMIN_KEY_ID: must be 16 to 128 letters/],
    ["A".repeat(129), secretAccessKey, /BATCHWAY_ADMIN_KEY_ID: must be/],
    ["ADMIN/KEY/OF/BATCHWAY", secretAccessKey, /BATCHWAY_ADMIN_KEY_ID: must be/],
    [accessKeyId, "fifteen-letters", /BATCHWAY_ADMIN_SECRET: must be 16 to 256 characters/],
    [accessKeyId, "sixteen letters and", /BATCHWAY_ADMIN_SECRET: must be/],
  ];
  for (const [id, secret, reason] of cases) {
    await assert.rejects(
      parseConfig({ BATCHWAY_ADMIN_KEY_ID: id, BATCHWAY_ADMIN_SECRET: secret }, undefined, "x"),
      (error: Error) =>
        reason.test(error.message) && (secret === "" || !error.message.includes(secret)),
      `${id} ${secret}`,
    );
  }
});
