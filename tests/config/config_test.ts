import assert from "node:assert/strict";
import { type Config, ConfigurationError, parseConfig } from "../../config/config.ts";

const parse = (environment: Record<string, string>, file?: unknown): Promise<Config> =>
  parseConfig(
    environment,
    typeof file === "string" || file === undefined ? file : JSON.stringify(file),
    "batchway.jsonc",
  );

/** The errors of a configuration: `place: message`, in order of their places. */
async function errorsOf(environment: Record<string, string>, file?: unknown): Promise<string[]> {
  try {
    await parse(environment, file);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.errors.map(({ place, message }) => `${place}: ${message}`).sort();
  }
  return [];
}

Deno.test("nothing configured is the defaults, without any provider", async () => {
  assert.deepEqual(await parse({}), {
    host: "127.0.0.1",
    port: 8080,
    data: "./.batchway",
    catalog: "file",
    reusePort: false,
    pollMilliseconds: 5_000,
    sweepMilliseconds: 60_000,
    drainMilliseconds: 60_000,
    etag: "file",
    idleMilliseconds: 60_000,
    allowAnonymous: false,
    trustProxy: false,
    providers: [],
    defaultProvider: "bedrock",
    buckets: {},
    s3Domains: ["localhost"],
    implicitBuckets: true,
    strictIdempotency: false,
    limits: { maxBodyBytes: 5_368_709_120, concurrentUploads: 256, requestsPerSecond: null },
    models: {},
    prices: {},
    metrics: { tenants: [] },
    objects: { keep: "needed" },
    region: "us-east-1",
    notes: [],
  });
});

Deno.test("each variable is taken", async () => {
  const config = await parse({
    BATCHWAY_HOST: "::1",
    BATCHWAY_PORT: "0",
    BATCHWAY_S3_PORT: "9000",
    BATCHWAY_ADMIN_PORT: "9001",
    BATCHWAY_DATA: "/data/",
    BATCHWAY_POLL_SECONDS: "0",
    BATCHWAY_SWEEP_SECONDS: "1.5",
    BATCHWAY_DRAIN_SECONDS: "2",
    BATCHWAY_IDLE_SECONDS: "0.25",
    BATCHWAY_ALLOW_ANONYMOUS: "1",
    BATCHWAY_LOG: "json",
    AWS_DEFAULT_REGION: "eu-central-1",
  });
  assert.deepEqual(
    [config.host, config.port, config.s3Port, config.adminPort, config.data, config.log],
    ["::1", 0, 9000, 9001, "/data", "json"],
  );
  assert.equal(config.allowAnonymous, true);
  assert.deepEqual(
    [
      config.pollMilliseconds,
      config.sweepMilliseconds,
      config.drainMilliseconds,
      config.idleMilliseconds,
    ],
    [0, 1_500, 2_000, 250],
  );
  assert.equal(config.region, "eu-central-1");
});

Deno.test("a variable that is set to nothing is not set", async () => {
  const config = await parse({ OPENAI_API_KEY: "", BATCHWAY_PORT: "", BATCHWAY_LOG: "" });
  assert.deepEqual(config.providers, []);
  assert.equal(config.port, 8080);
});

Deno.test("keys and places of the environment make providers called like their kinds", async () => {
  const { providers } = await parse({
    OPENAI_API_KEY: "o",
    OPENAI_BASE_URL: "http://127.0.0.1:1/v1/",
    GOOGLE_API_KEY: "g",
    GOOGLE_GEMINI_BASE_URL: "http://127.0.0.1:2",
    ANTHROPIC_API_KEY: "a",
    AWS_REGION: "us-west-2",
    AWS_ENDPOINT_URL_S3: "http://127.0.0.1:3/s3",
    AWS_ENDPOINT_URL_BEDROCK: "http://127.0.0.1:3/bedrock",
  });
  const accounts = (apiKey: string) => [{ name: "default", apiKey, weight: 1 }];
  assert.deepEqual(providers, [
    { name: "openai", kind: "openai", accounts: accounts("o"), baseUrl: "http://127.0.0.1:1/v1" },
    { name: "gemini", kind: "gemini", accounts: accounts("g"), baseUrl: "http://127.0.0.1:2" },
    { name: "anthropic", kind: "anthropic", accounts: accounts("a") },
    {
      name: "bedrock",
      kind: "bedrock",
      accounts: [],
      region: "us-west-2",
      s3Endpoint: "http://127.0.0.1:3/s3",
      bedrockEndpoint: "http://127.0.0.1:3/bedrock",
    },
  ]);
});

Deno.test("GEMINI_API_KEY comes before GOOGLE_API_KEY, AWS_REGION before the default one", async () => {
  const { providers, region } = await parse({
    GEMINI_API_KEY: "first",
    GOOGLE_API_KEY: "second",
    AWS_REGION: "us-west-2",
    AWS_DEFAULT_REGION: "eu-west-1",
  });
  assert.equal(providers[0]?.accounts[0]?.apiKey, "first");
  assert.equal(region, "us-west-2");
});

Deno.test("the environment wins over the file, only for the provider called like its kind", async () => {
  const { providers } = await parse({
    OPENAI_API_KEY: "env",
    OPENAI_BASE_URL: "http://127.0.0.1:1/v1",
    GROQ: "groq-key",
  }, {
    providers: {
      openai: { kind: "openai", apiKey: "file", baseUrl: "https://file.example/v1" },
      groq: { kind: "openai", apiKey: "${GROQ}", baseUrl: "https://groq.example/v1" },
    },
  });
  assert.deepEqual(
    providers.map((
      { name, kind, baseUrl, accounts },
    ) => [name, kind, baseUrl, accounts[0]?.apiKey]),
    [
      ["openai", "openai", "http://127.0.0.1:1/v1", "env"],
      ["groq", "openai", "https://groq.example/v1", "groq-key"],
    ],
  );
});

Deno.test("accounts of the file are kept, and the environment's key is ignored with a note", async () => {
  const { providers, notes } = await parse({ OPENAI_API_KEY: "env", A: "key-a", B: "key-b" }, {
    providers: {
      openai: {
        kind: "openai",
        accounts: [{ name: "a", apiKey: "${A}", weight: 3 }, { name: "b", apiKey: "${B}" }],
      },
    },
  });
  assert.deepEqual(providers[0]?.accounts, [
    { name: "a", apiKey: "key-a", weight: 3 },
    { name: "b", apiKey: "key-b", weight: 1 },
  ]);
  assert.deepEqual(notes, [
    "OPENAI_API_KEY is ignored: providers.openai.accounts in the file names the keys",
  ]);
});

Deno.test("the file may have comments and trailing commas, or nothing but comments", async () => {
  const config = await parse(
    {},
    `{
    // Which one is asked where nobody says
    "defaultProvider": "groq", /* not bedrock */
    "providers": { "groq": { "kind": "openai", "apiKey": "k", }, },
  }`,
  );
  assert.equal(config.defaultProvider, "groq");
  assert.deepEqual((await parse({}, "// nothing yet\n")).providers, []);
  assert.deepEqual((await parse({}, "")).providers, []);
});

Deno.test("an error of the file's form names its line", async () => {
  assert.deepEqual(await errorsOf({}, '{\n  "providers": {}\n  "buckets": {}\n}'), [
    "batchway.jsonc:3: is not JSON with comments: comma expected",
  ]);
  assert.deepEqual(await errorsOf({ BATCHWAY_PORT: "x" }, '{\n\n"a": nul}'), [
    "BATCHWAY_PORT: must be a port from 0 (any free one) to 65535",
    "batchway.jsonc:3: is not JSON with comments: invalid symbol",
    "batchway.jsonc:3: is not JSON with comments: value expected",
  ]);
});

Deno.test("every error is reported at once, each with its place", async () => {
  const errors = await errorsOf({
    BATCHWAY_PORT: "65536",
    BATCHWAY_POLL_SECONDS: "soon",
    BATCHWAY_SWEEP_SECONDS: "99999999",
    BATCHWAY_ALLOW_ANONYMOUS: "yes",
    BATCHWAY_LOG: "xml",
    BATCHWAY_PROT: "1",
    AWS_REGION: "Frankfurt",
    ANTHROPIC_API_KEY: "a",
    ANTHROPIC_BASE_URL: "anthropic.example",
  }, {
    defaultProvidr: "x",
    defaultProvider: "mistral",
    providers: {
      "groq": { kind: "openai", baseUrl: "ftp://x", apikey: "k" },
      "Mixed": { kind: "openai", apiKey: "k" },
      "odd": { kind: "opnai", apiKey: 5 },
      "none": { kind: "gemini" },
      "pair": {
        kind: "openai",
        accounts: [{ name: "a", apiKey: "1", weight: 0 }, { name: "a", apiKey: "2", weight: 0 }],
      },
      "unset": { kind: "openai", apiKey: "${NOT_SET}", baseUrl: "${NOT_SET_EITHER}" },
    },
    buckets: { b: { provider: "nobody" }, c: { provider: "odd" }, d: { provider: 1 } },
    implicitBuckets: "yes",
    limits: { maxBodyBytes: 0, concurrentUploads: 1.5, requestsPerSecond: -1 },
    s3Domains: {},
  });
  const configured = "configured are none, pair, anthropic, bedrock, groq, Mixed, odd, unset";
  assert.deepEqual(errors, [
    "ANTHROPIC_BASE_URL: must be an http or https URL without user, query and fragment",
    "AWS_REGION: is not an AWS region (for example us-west-2)",
    "BATCHWAY_ALLOW_ANONYMOUS: must be 1 or 0",
    "BATCHWAY_LOG: must be json or pretty",
    "BATCHWAY_POLL_SECONDS: must be a number of seconds up to 604800, such as 5 or 0.5",
    "BATCHWAY_PORT: must be a port from 0 (any free one) to 65535",
    "BATCHWAY_PROT: is not a known name; the nearest is BATCHWAY_PORT",
    "BATCHWAY_SWEEP_SECONDS: must be a number of seconds up to 604800, such as 5 or 0.5",
    `buckets.b.provider: names the provider nobody, which is not configured; ${configured}`,
    "buckets.d.provider: must be text in quotes",
    `defaultProvider: names the provider mistral, which is not configured; ${configured}`,
    "defaultProvidr: is not a known name; the nearest is defaultProvider",
    "implicitBuckets: must be true or false",
    "limits.concurrentUploads: must be a whole number",
    "limits.maxBodyBytes: must be 1 or more",
    "limits.requestsPerSecond: must not be negative",
    "providers.Mixed: must be lower-case letters, digits and hyphens",
    "providers.groq.apikey: is not a known name; the nearest is apiKey",
    "providers.groq.baseUrl: must be an http or https URL without user, query and fragment",
    "providers.none.apiKey: is missing; add it",
    "providers.odd.apiKey: must be text in quotes",
    'providers.odd.kind: must be "openai" or "gemini" or "anthropic" or "bedrock"',
    "providers.pair.accounts: has no account with a weight above 0",
    "providers.pair.accounts: has two accounts of one name",
    "providers.unset.apiKey: the variable NOT_SET is not set",
    "providers.unset.baseUrl: the variable NOT_SET_EITHER is not set",
    "s3Domains: must be a list, [ … ]",
  ]);
});

Deno.test("the form of ETags is set for all buckets and for one, and is one of two", async () => {
  const wrong = { etag: "sha256", buckets: { b: { etag: true } } };
  assert.deepEqual(await errorsOf({}, wrong), [
    'buckets.b.etag: must be "file" or "md5"',
    'etag: must be "file" or "md5"',
  ]);
  const text = '{ "etag": "md5", "buckets": { "b": { "etag": "file" } } }';
  const config = await parseConfig({}, text, "batchway.jsonc");
  assert.deepEqual([config.etag, config.buckets["b"]?.etag], ["md5", "file"]);
});

Deno.test("an error quotes no value of the file, which may be a key", async () => {
  const errors = await errorsOf({}, {
    providers: {
      a: "sk-secret",
      b: { kind: "openai", apiKey: ["sk-secret"] },
      c: { kind: "sk-secret", apiKey: "sk-secret", accounts: "sk-secret" },
    },
  });
  assert.ok(errors.length >= 4, errors.join("\n"));
  assert.ok(!errors.join("\n").includes("sk-secret"), errors.join("\n"));
});

Deno.test("a file without an object is reported as such", async () => {
  for (const file of ["[]", "3", '"text"', "null"]) {
    assert.deepEqual(await errorsOf({}, file), [
      "(the whole file): must be an object, { … }",
    ], file);
  }
});

Deno.test("a provider that has no key says which variable would do", async () => {
  assert.deepEqual(
    await errorsOf({ OPENAI_BASE_URL: "http://127.0.0.1:1" }, {
      providers: { openai: { kind: "openai" }, groq: { kind: "openai" } },
    }),
    [
      "providers.groq.apiKey: is missing; add it",
      "providers.openai.apiKey: is missing; add it, or set OPENAI_API_KEY",
    ],
  );
});

Deno.test("the errors are one message, a line each", async () => {
  await assert.rejects(parse({ BATCHWAY_PORT: "x", BATCHWAY_LOG: "x" }), {
    name: "ConfigurationError",
    message: "The configuration has 2 errors:\n" +
      "  BATCHWAY_LOG: must be json or pretty\n" +
      "  BATCHWAY_PORT: must be a port from 0 (any free one) to 65535",
  });
});

Deno.test("a key that no header can hold is an error of its place, and is not shown", async () => {
  const pasted = "sk-\u201cpasted\u201d";
  const [ofEnvironment = ""] = await errorsOf({ OPENAI_API_KEY: pasted });
  assert.match(ofEnvironment, /^OPENAI_API_KEY: .*paste it again$/);
  const file = { providers: { groq: { kind: "openai", apiKey: "two words" } } };
  const [ofFile = ""] = await errorsOf({}, file);
  assert.match(ofFile, /^providers\.groq .*paste it again$/);
  assert.ok(!`${ofEnvironment}${ofFile}`.includes("pasted\u201d"));
});
