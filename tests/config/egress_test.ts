import assert from "node:assert/strict";
import { parseConfig } from "../../config/config.ts";
import { catalogHosts, hostsOf } from "../../config/egress.ts";
import { flagsOf } from "../../config/permissions.ts";

type Environment = Readonly<Record<string, string>>;

async function hosts(environment: Environment, file?: unknown): Promise<string[]> {
  const config = await parseConfig(
    environment,
    file === undefined ? undefined : JSON.stringify(file),
    "x",
  );
  return hostsOf(config, (name) => environment[name]);
}

async function flags(environment: Environment): Promise<string[]> {
  return flagsOf(await parseConfig(environment, undefined, "x"), environment);
}

const keys = { AWS_ACCESS_KEY_ID: "AKIA", AWS_SECRET_ACCESS_KEY: "secret" };
const own = "127.0.0.1:8080";
const aws = "*.amazonaws.com:443";
const signIn = ["*.signin.aws.amazon.com:443", "*.oauth.signin.aws:443"];
const machine = ["169.254.169.254:80", "[fd00:ec2::254]:80"];

const cases: readonly (readonly [string, Environment, readonly string[], unknown?])[] = [
  ["nothing configured", {}, [own]],
  ["a provider of each kind that has one host", {
    OPENAI_API_KEY: "k",
    GEMINI_API_KEY: "k",
    ANTHROPIC_API_KEY: "k",
  }, [own, "api.openai.com:443", "generativelanguage.googleapis.com:443", "api.anthropic.com:443"]],
  ["another base URL in the place of the official one", {
    OPENAI_API_KEY: "k",
    OPENAI_BASE_URL: "http://vllm.internal/v1",
  }, [own, "vllm.internal:80"]],
  [
    "providers of the file",
    {},
    [own, "api.groq.com:443", "10.1.2.3:8000", "[::1]:9000"],
    {
      providers: {
        groq: { kind: "openai", apiKey: "k", baseUrl: "https://API.groq.com/openai/v1" },
        local: { kind: "openai", apiKey: "k", baseUrl: "http://10.1.2.3:8000" },
        six: { kind: "gemini", apiKey: "k", baseUrl: "http://[::1]:9000" },
      },
      defaultProvider: "groq",
    },
  ],
  ["two listeners on any port", { BATCHWAY_PORT: "0", BATCHWAY_S3_PORT: "9000" }, [
    "127.0.0.1:0",
    "127.0.0.1:9000",
  ]],
  ["a listener of IPv6", { BATCHWAY_HOST: "::1" }, ["[::1]:8080"]],
  ["AWS with keys, whatever region a client signs for", { ...keys, AWS_REGION: "us-west-2" }, [
    own,
    aws,
  ]],
  ["AWS in China", { ...keys, AWS_REGION: "cn-north-1" }, [own, "*.amazonaws.com.cn:443"]],
  ["AWS without a region", keys, [own, aws, "*.amazonaws.com.cn:443"]],
  ["what stands in AWS's place", {
    ...keys,
    AWS_REGION: "us-west-2",
    AWS_ENDPOINT_URL_S3: "http://minio:9000",
    AWS_ENDPOINT_URL_BEDROCK: "https://bedrock.internal/path",
  }, [own, "minio:9000", "bedrock.internal:443"]],
  ["S3 alone in AWS's place", {
    ...keys,
    AWS_REGION: "us-west-2",
    AWS_ENDPOINT_URL_S3: "http://minio:9000",
  }, [own, "minio:9000", aws]],
  ["the role of a machine", { AWS_REGION: "us-west-2" }, [own, aws, ...signIn, ...machine]],
  ["no role of a machine", { AWS_REGION: "us-west-2", AWS_EC2_METADATA_DISABLED: "True" }, [
    own,
    aws,
    ...signIn,
  ]],
  ["a web identity", { AWS_REGION: "us-west-2", AWS_WEB_IDENTITY_TOKEN_FILE: "/t" }, [
    own,
    aws,
    ...signIn,
  ]],
  ["the role of a task of ECS", {
    AWS_REGION: "us-west-2",
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2/credentials/x",
  }, [own, aws, ...signIn, "169.254.170.2:80"]],
  ["the role of a pod of EKS", {
    AWS_REGION: "us-west-2",
    AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.170.23/v1/credentials",
  }, [own, aws, ...signIn, "169.254.170.23:80"]],
  ["services of AWS at other places", {
    AWS_REGION: "us-west-2",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ENDPOINT_URL_STS: "http://sts.internal:8443",
  }, [own, aws, ...signIn, "sts.internal:8443"]],
];

for (const [name, environment, expected, file] of cases) {
  Deno.test(`the hosts of ${name} are named, and no other`, async () => {
    assert.deepEqual(await hosts(environment, file), expected);
  });
}

Deno.test("nothing in a configuration widens the list, or keeps the gateway from starting", async () => {
  for (const host of ["*", "*.com", "a..b", "a,b", "0.0.0.0,evil.example"]) {
    const baseUrl = `http://${host}/v1`;
    const environment = { OPENAI_API_KEY: "k", OPENAI_BASE_URL: baseUrl };
    const found = await hosts(environment).catch(() => [own]);
    assert.deepEqual(found, [own], host);
  }
  for (const host of ["127.0.0.1 --allow-all", "a,b", "*"]) {
    assert.deepEqual(await hosts({ BATCHWAY_HOST: host, BATCHWAY_ALLOW_ANONYMOUS: "1" }), []);
  }
});

Deno.test("the disk is open at the catalog's folder, the configuration and the certificate", async () => {
  const environment = {
    OPENAI_API_KEY: "k",
    BATCHWAY_DATA: "/var/lib/batchway",
    BATCHWAY_CONFIG: "/etc/batchway,1.jsonc",
    BATCHWAY_TLS_CERT: "tls/cert.pem",
    BATCHWAY_TLS_KEY: "tls/key.pem",
  };
  assert.deepEqual(await flags(environment), [
    `--allow-net=${own},api.openai.com:443`,
    "--allow-read=/var/lib/batchway,/etc/batchway,,1.jsonc,tls/cert.pem,tls/key.pem",
    "--allow-write=/var/lib/batchway",
  ]);
});

Deno.test("no flag holds white space: the folder above a path that does is opened", async () => {
  const found = await flags({
    BATCHWAY_DATA: "/home/me/my data/--allow-run x",
    BATCHWAY_HOST: "a b",
  });
  assert.deepEqual(found, ["--allow-read=/home/me,./batchway.jsonc", "--allow-write=/home/me"]);
});

Deno.test("credentials of profiles may read what they name and renew their tokens", async () => {
  const found = await flags({ AWS_PROFILE: "work", HOME: "/home/me", AWS_REGION: "us-west-2" });
  assert.deepEqual(found.slice(1), [
    "--allow-read",
    "--allow-write=./.batchway,/home/me/.aws/sso/cache,/home/me/.aws/login/cache",
    "--allow-sys",
  ]);
});

Deno.test("the permission set of deno.json is that of every official provider", async () => {
  const path = new URL("../../deno.json", import.meta.url);
  const { permissions: { gateway } } = JSON.parse(await Deno.readTextFile(path));
  const environment = { ...keys, OPENAI_API_KEY: "k", GEMINI_API_KEY: "k", ANTHROPIC_API_KEY: "k" };
  const list = (kind: string) => `--allow-${kind}=${gateway[kind].join(",")}`;
  assert.deepEqual(await flags(environment), ["net", "read", "write"].map(list));
  assert.deepEqual(
    [gateway.sys, gateway.run, gateway.ffi, gateway.import],
    [false, false, false, []],
  );
});

Deno.test("a catalog on another machine may be reached, by its own command too", async () => {
  const environment = {
    BATCHWAY_CATALOG: "https://kv.example/base",
    DENO_KV_ACCESS_TOKEN: "token",
  };
  const config = await parseConfig(environment, undefined, "batchway.jsonc");
  assert.deepEqual(catalogHosts(config), ["kv.example:443"]);
  assert.ok(hostsOf(config, () => undefined).includes("kv.example:443"));
  assert.deepEqual(catalogHosts({ catalog: "file" }), []);
});
