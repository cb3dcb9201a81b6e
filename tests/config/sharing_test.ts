import assert from "node:assert/strict";
import type { ConfigError } from "../../config/file.ts";
import { type Sharing, sharingOf } from "../../config/sharing.ts";

function read(environment: Record<string, string>): { sharing: Sharing; errors: string[] } {
  const errors: ConfigError[] = [];
  const sharing = sharingOf((name) => environment[name] || undefined, errors);
  return { sharing, errors: errors.map(({ place, message }) => `${place}: ${message}`) };
}

Deno.test("without a word the catalog is a file, and the port is for one process", () => {
  assert.deepEqual(read({}), { sharing: { catalog: "file", reusePort: false }, errors: [] });
});

Deno.test("on Deno Deploy the catalog is the platform's, unless another is named", () => {
  assert.equal(read({ DENO_DEPLOY: "1" }).sharing.catalog, "deploy");
  assert.equal(read({ BATCHWAY_CATALOG: "deploy" }).sharing.catalog, "deploy");
  const named = { DENO_DEPLOY: "1", BATCHWAY_CATALOG: "https://kv.example/a" };
  const { sharing, errors } = read({ ...named, DENO_KV_ACCESS_TOKEN: "token" });
  assert.deepEqual([`${sharing.catalog}`, errors], ["https://kv.example/a", []]);
});

Deno.test("a catalog is a URL or deploy, and a server's token must be there", () => {
  for (
    const catalog of ["/data/catalog.kv", "file", "kv.example", "https://user:word@kv.example"]
  ) {
    const { errors } = read({ BATCHWAY_CATALOG: catalog, DENO_KV_ACCESS_TOKEN: "token" });
    assert.match(errors.join(), /^BATCHWAY_CATALOG: must be the URL of a KV Connect server/);
    assert.doesNotMatch(errors.join(), /word/);
  }
  const { errors } = read({ BATCHWAY_CATALOG: "http://127.0.0.1:4512" });
  assert.match(errors.join(), /^DENO_KV_ACCESS_TOKEN: is missing/);
});

Deno.test("a port is shared only where it is named", () => {
  const shared = { BATCHWAY_REUSE_PORT: "1" };
  assert.deepEqual(read(shared), { sharing: { catalog: "file", reusePort: true }, errors: [] });
  assert.equal(read({ BATCHWAY_REUSE_PORT: "0" }).sharing.reusePort, false);
  for (const port of ["BATCHWAY_PORT", "BATCHWAY_S3_PORT"]) {
    assert.match(read({ ...shared, [port]: "0" }).errors.join(), /needs explicit ports/);
  }
  assert.match(read({ BATCHWAY_REUSE_PORT: "yes" }).errors.join(), /must be 1 or 0/);
});

Deno.test("on Deno Deploy no port can be chosen, and each is refused with what to do", () => {
  const ports = { BATCHWAY_PORT: "8080", BATCHWAY_S3_PORT: "8081", BATCHWAY_ADMIN_PORT: "0" };
  for (const platform of ["DENO_DEPLOY", "DENO_DEPLOYMENT_ID"]) {
    const { errors } = read({ ...ports, [platform]: "1" });
    assert.deepEqual(errors.map((error) => error.split(":")[0]), Object.keys(ports));
    for (const error of errors) assert.match(error, /cannot be set on Deno Deploy.*remove it/);
    assert.match(errors[1] ?? "", /S3 is at \/bedrock\/files/);
    // Any port is what the platform gives.
    assert.deepEqual(read({ BATCHWAY_PORT: "0", [platform]: "1" }).errors, []);
  }
  assert.deepEqual(read({ ...ports, DENO_SERVE_ADDRESS: "tcp:127.0.0.1:8000" }).errors, []);
});
