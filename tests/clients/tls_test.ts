import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { withKeys } from "../keys.ts";
import { runPython } from "../python.ts";
import { runClient, withGateway } from "./session.ts";

/** Made for these tests alone: localhost, valid for a hundred years, its key known to all. */
const file = (name: string) => fileURLToPath(new URL(`./tls/${name}`, import.meta.url));
const certificate = file("localhost.cert.pem");
const authority = file("authority.cert.pem");
const env = { BATCHWAY_TLS_CERT: certificate, BATCHWAY_TLS_KEY: file("localhost.key.pem") };

interface Seen {
  readonly payload: string;
  readonly managed: boolean;
  readonly paged: readonly string[];
  readonly checksum: string;
  readonly bytes: number;
  readonly size: number;
  readonly keys: readonly string[];
  readonly same: boolean;
  readonly emptyBytes: number;
  readonly emptyChecksum: string;
}

for (const provider of ["openai", "gemini", "bedrock"]) {
  Deno.test(`boto3 puts and reads over https at ${provider}, trailers included`, async () => {
    await withGateway(async ({ url }) => {
      assert.match(url, /^https:/);
      const seen = await runClient<Seen>("tls.py", [url, provider, authority]);
      assert.equal(seen.payload, "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
      assert.match(seen.checksum, /^[A-Za-z0-9+/]{6}==$/);
      assert.equal(seen.bytes, seen.size);
      assert.deepEqual(seen.keys, ["a b/ü.jsonl"]);
      assert.ok(seen.same, "what was read is not what was put");
      assert.ok(seen.managed, "what was transferred in parts or ranges is not what it was");
      const all = ["a b/ü.jsonl", "empty.jsonl", "large/file.jsonl", "large/fileobj.jsonl"];
      assert.deepEqual(seen.paged, all);
      assert.equal(seen.emptyBytes, 0);
      assert.equal(seen.emptyChecksum, "AAAAAA==");
    }, { env });
  });
}

Deno.test("boto3 bears a token over https, as it does for Bedrock where one is set", () =>
  withKeys(async ({ url }, keys) => {
    const { bearerToken } = await keys.add({ tenant: "t", defaultProvider: "openai" });
    const seen = async (token: string) => {
      const environment = { AWS_BEARER_TOKEN_BEDROCK: token, AWS_CA_BUNDLE: authority };
      const { stdout } = await runPython(file("../bearer.py"), [url], environment);
      return JSON.parse(stdout);
    };
    assert.deepEqual(await seen(bearerToken), { jobs: 0 });
    const other = `${bearerToken.slice(0, -1)}${bearerToken.endsWith("a") ? "b" : "a"}`;
    assert.deepEqual(await seen(other), { code: "UnrecognizedClientException" });
  }, { env }));

Deno.test("a client of HTTP/2, which sends no Host header, is answered", async () => {
  await withGateway(async ({ url }) => {
    using client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(authority)] });
    const key = `${url.replace("127.0.0.1", "localhost")}/bedrock/files/tls-bucket/k%2Fl`;
    const headers = { "x-model-provider": "openai" };
    const put = await fetch(key, { method: "PUT", body: "{}", headers, client });
    assert.equal(put.status, 200, await put.text());
    const got = await fetch(key, { headers, client });
    assert.equal(await got.text(), "{}");
  }, { env });
});

Deno.test("a certificate without its key, or a file that is not one, is refused at the start", async () => {
  const start = (env: Record<string, string>) => withGateway(() => Promise.resolve(), { env });
  await assert.rejects(start({ BATCHWAY_TLS_CERT: certificate }), /BATCHWAY_TLS_KEY: is missing/);
  const missing = { BATCHWAY_TLS_CERT: "/nowhere.pem", BATCHWAY_TLS_KEY: "/nowhere.pem" };
  await assert.rejects(start(missing), /BATCHWAY_TLS_CERT: \/nowhere\.pem cannot be read/);
  const swapped = { BATCHWAY_TLS_CERT: env.BATCHWAY_TLS_KEY, BATCHWAY_TLS_KEY: certificate };
  await assert.rejects(start(swapped), /certificate and the key are PEM/);
});
