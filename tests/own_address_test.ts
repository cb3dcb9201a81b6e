import assert from "node:assert/strict";
import { hopHeader } from "../codecs/hops.ts";
import { upstreamsOf } from "../config/upstreams.ts";
import { refuseOwnAddress } from "../own_address.ts";
import type { ProviderSettings } from "../providers/settings.ts";

const cloud = (more: Partial<ProviderSettings>): ProviderSettings => ({
  name: "cloud",
  kind: "openai",
  accounts: [],
  ...more,
});

/** Looks for the gateway among upstreams; `hop` is what they answer with. */
async function look(host: string, baseUrl: string, hop: string | undefined) {
  const asked: string[] = [];
  const error = await refuseOwnAddress(
    upstreamsOf({ providers: [cloud({ baseUrl })] }, () => undefined),
    {
      host,
      urls: ["http://10.0.0.5:8080", "https://10.0.0.5"],
      hop: "me",
      fetch: (input, init) => {
        asked.push(`${String(input)} ${new Headers(init?.headers).get(hopHeader)}`);
        if (hop === undefined) return Promise.reject(new TypeError("not reached"));
        return Promise.resolve(new Response(null, { headers: { [hopHeader]: hop } }));
      },
    },
  ).then(() => undefined, (error: Error) => error.message);
  return { asked, error };
}

Deno.test("an upstream of another name is asked whether it is the gateway, where the port is one of its own", async () => {
  const found = await look("0.0.0.0", "http://gateway.internal:8080/v1", "me");
  assert.deepEqual(found.asked, ["http://gateway.internal:8080 me"]);
  assert.match(found.error ?? "", /providers\.cloud\.baseUrl is http:\/\/gateway\.internal:8080/);
  // The scheme's own port counts, too.
  assert.ok((await look("10.0.0.5", "https://gateway.example/v1", "me")).error);
});

Deno.test("another gateway, a service that is not reached, and another port are not loops", async () => {
  for (const hop of ["another", undefined]) {
    const found = await look("0.0.0.0", "http://other.internal:8080/v1", hop);
    assert.deepEqual([found.asked.length, found.error], [1, undefined]);
  }
  const found = await look("0.0.0.0", "http://gateway.internal:9090/v1", "me");
  assert.deepEqual([found.asked, found.error], [[], undefined]);
});

Deno.test("loopback is another process where the gateway listens on one address only", async () => {
  assert.equal((await look("10.0.0.5", "http://127.0.0.1:8080", undefined)).error, undefined);
  assert.ok((await look("127.0.0.1", "http://localhost:8080", undefined)).error);
  assert.ok((await look("0.0.0.0", "http://[::1]:8080", undefined)).error);
});

Deno.test("every address that is called is named by its variable, or else by its setting", () => {
  const variables: Readonly<Record<string, string>> = {
    OPENAI_BASE_URL: "http://a/v1",
    AWS_ENDPOINT_URL: "http://b",
    AWS_ENDPOINT_URL_STS: "http://c",
    AWS_ENDPOINT_URL_EVENTBRIDGE: "http://d",
    AWS_ENDPOINT_URL_S3: "",
  };
  const env = (more: Readonly<Record<string, string>>) => (name: string) =>
    ({ ...variables, ...more })[name];
  const providers = [
    cloud({ name: "openai", baseUrl: "http://a/v1" }),
    cloud({ baseUrl: "http://a/v1" }),
    cloud({ name: "bedrock", kind: "bedrock", s3Endpoint: "http://e" }),
  ];
  const events = { webhooks: [], eventBridge: { bus: "default", provider: "bedrock" } };
  const names = (settings: Parameters<typeof upstreamsOf>[0], more = {}) =>
    upstreamsOf(settings, env(more)).map(({ name, url }) => `${name} ${url}`);
  const ofProviders = [
    "OPENAI_BASE_URL (providers.openai.baseUrl) http://a/v1",
    "providers.cloud.baseUrl http://a/v1",
    "providers.bedrock.s3Endpoint http://e",
  ];
  assert.deepEqual(names({ providers, events }), [
    ...ofProviders,
    "AWS_ENDPOINT_URL_EVENTBRIDGE http://d",
    "AWS_ENDPOINT_URL http://b",
    "AWS_ENDPOINT_URL_STS http://c",
  ]);
  // Without a bus, and with a key of its own, neither EventBridge nor STS is called.
  assert.deepEqual(names({ providers }, { AWS_ACCESS_KEY_ID: "any" }), ofProviders);
});
