import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { temporaryFolder } from "../catalog/memory.ts";
import { denokvTest, findDenokv, freePort, startDenokv } from "../denokv.ts";
import { spawnGateway } from "../gateway.ts";
import { createClient, openaiLines, until } from "../jobs/wire.ts";
import { exampleOf, findNginx, startNginx } from "./nginx.ts";

const certificates = fileURLToPath(new URL("../clients/tls/", import.meta.url));
const authority = `${certificates}authority.cert.pem`;

const denokv = await findDenokv();
const nginx = await findNginx();

denokvTest(
  nginx.state === "ready" ? denokv : nginx,
  "a gateway reaches its catalog over TLS, through the nginx of the documentation",
  async () => {
    assert.ok(denokv.state === "ready" && nginx.state === "ready");
    await using folder = await temporaryFolder();
    await using stack = new AsyncDisposableStack();
    const sandbox = await startSandbox({ batchSeconds: 1 });
    stack.defer(() => sandbox.close());
    const server = await startDenokv(denokv.path, `${folder.path}/catalog.db`);
    stack.defer(() => server.kill());
    const port = freePort();
    const url = `https://localhost:${port}`;
    const site = (await exampleOf("nginx-denokv.conf"))
      .replace("127.0.0.1:4512", new URL(server.url).host)
      .replace("listen 443 ssl", `listen 127.0.0.1:${port} ssl`)
      .replace("/etc/ssl/kv.pem", `${certificates}localhost.cert.pem`)
      .replace("/etc/ssl/kv.key", `${certificates}localhost.key.pem`);
    const caCert = await Deno.readTextFile(authority);
    const program = nginx.path;
    await startNginx({ program, folder: folder.path, site, url, caCert }, stack);
    const gateway = await spawnGateway({
      ...sandboxEnvironment(sandbox),
      ...server.environment,
      BATCHWAY_CATALOG: url,
      BATCHWAY_DATA: `${folder.path}/data`,
      BATCHWAY_POLL_SECONDS: "0",
      DENO_CERT: authority,
    }, ["task", "start"]);
    stack.defer(() => gateway.kill());
    const client = createClient(gateway.url);
    await client.upload("openai-files/in.jsonl");
    const read = await client.send("/bedrock/files/openai-files/in.jsonl");
    assert.equal(await read.text(), openaiLines);
    // Its description alone is more than the 1 KB from which denokv by itself is slow.
    const s3Uri = `s3://out/${"long/".repeat(180)}`;
    const arn = await client.create("openai-files/in.jsonl", {
      outputDataConfig: { s3OutputDataConfig: { s3Uri } },
    });
    await until("it completes", async () => (await client.get(arn)).status === "Completed");
    assert.equal(await gateway.stop(), 0, gateway.log());
    assert.doesNotMatch(gateway.log(), /NotCapable|Requires/);
  },
);
