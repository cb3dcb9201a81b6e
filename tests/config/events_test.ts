import assert from "node:assert/strict";
import { ConfigurationError, parseConfig } from "../../config/config.ts";
import { hostsOf } from "../../config/egress.ts";
import { createLiveConfig } from "../../config/live.ts";

const secret = `whsec_${btoa("x".repeat(32))}`;
const environment = { OPENAI_API_KEY: "sk", AWS_REGION: "eu-west-1" };

function read(events: unknown, env: Record<string, string> = environment) {
  return parseConfig(env, JSON.stringify({ events }), "batchway.jsonc");
}

async function errorsOf(events: unknown, env?: Record<string, string>): Promise<string[]> {
  try {
    await read(events, env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    assert.ok(!error.message.includes(secret), "an error quotes the secret");
    return error.errors.map(({ place, message }) => `${place}: ${message}`);
  }
}

Deno.test("receivers of events come from the configuration, with secrets from the environment", async () => {
  const config = await read(
    { webhooks: [{ url: "https://a.example/hook", secret: "${HOOK}", tenants: ["team-a"] }] },
    { ...environment, HOOK: secret },
  );
  assert.deepEqual(config.events, {
    webhooks: [{ url: "https://a.example/hook", secret, tenants: ["team-a"] }],
  });
  const all = await read({ webhooks: [{ url: "http://127.0.0.1:9/x", secret }] });
  assert.deepEqual(all.events?.webhooks[0]?.tenants, ["*"]);
  assert.equal((await parseConfig(environment, "{}", "batchway.jsonc")).events, undefined);
});

Deno.test("a receiver that is not https, or whose secret is malformed, is an error with its place", async () => {
  for (
    const url of [
      "http://a.example/",
      "ftp://a.example",
      "https://u:p@a.example/",
      "here",
      "http://127.0.0.1.evil.example/",
    ]
  ) {
    const [error, ...others] = await errorsOf({ webhooks: [{ url, secret }] });
    assert.match(error ?? "", /^events\.webhooks\.0\.url: must be an https URL/, url);
    assert.deepEqual(others, []);
  }
  for (const wrong of ["abc", "whsec_", "whsec_c2hvcnQ=", secret.slice(0, -1), `${secret}!`]) {
    const [error] = await errorsOf({ webhooks: [{ url: "https://a.example", secret: wrong }] });
    assert.match(error ?? "", /^events\.webhooks\.0\.secret: must be whsec_/, wrong);
  }
  const once = { url: "https://a.example/", secret };
  assert.match(
    (await errorsOf({ webhooks: [once, once] }))[0] ?? "",
    /^events\.webhooks: has a URL twice/,
  );
  assert.match((await errorsOf({ webhook: [] }))[0] ?? "", /^events\.webhook: .*webhooks/);
  assert.match(
    (await errorsOf({ webhooks: [{ ...once, tenant: "a" }] }))[0] ?? "",
    /^events\.webhooks\.0\.tenant: .*tenants/,
  );
});

Deno.test("an event bus needs a provider that forwards to AWS, and a region", async () => {
  const bedrock = { ...environment, AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
  const config = await read({ eventBridge: { provider: "bedrock" } }, bedrock);
  assert.deepEqual(config.events?.eventBridge, { bus: "default", provider: "bedrock" });
  for (const provider of ["openai", "nowhere"]) {
    const [error] = await errorsOf({ eventBridge: { bus: "default", provider } }, bedrock);
    assert.match(
      error ?? "",
      /^events\.eventBridge\.provider: must name a provider of kind bedrock/,
    );
  }
});

Deno.test("the start may reach the receivers, and nothing else for them", async () => {
  const config = await read({
    webhooks: [{ url: "https://a.example/hook?x", secret }, { url: "http://localhost:99", secret }],
    eventBridge: { provider: "bedrock" },
  }, { ...environment, AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" });
  const hosts = hostsOf(config, (name) => name === "AWS_ACCESS_KEY_ID" ? "a" : undefined);
  assert.ok(hosts.includes("a.example:443") && hosts.includes("localhost:99"), hosts.join());
  assert.ok(hosts.includes("*.amazonaws.com:443"));
  const own = hostsOf(
    config,
    (name) => name === "AWS_ENDPOINT_URL_EVENTBRIDGE" ? "https://bus.example" : "a",
  );
  assert.ok(own.includes("bus.example:443"), own.join());
});

Deno.test("a reload takes new secrets and tenants of webhooks; other receivers need a start", async () => {
  const live = createLiveConfig(await read({ webhooks: [{ url: "https://a.example/", secret }] }));
  const other = `whsec_${btoa("y".repeat(32))}`;
  const rotated = await read({
    webhooks: [{ url: "https://a.example/", secret: other, tenants: ["b"] }],
  });
  assert.deepEqual(live.replace(rotated), { changed: ["events.webhooks"], needRestart: [] });
  assert.equal(live.config.events?.webhooks[0]?.secret, other);
  const moved = await read({ webhooks: [{ url: "https://b.example/", secret }] });
  assert.deepEqual(live.replace(moved), { changed: [], needRestart: ["events"] });
  assert.equal(live.config.events?.webhooks[0]?.url, "https://a.example/");
});
