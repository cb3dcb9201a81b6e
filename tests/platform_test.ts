/** The gateway as Deno Deploy runs it: no disk, a catalog of the platform's, an address that it is given. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { hostOf } from "../config/sharing.ts";
import { sandboxEnvironment } from "../sandbox/environment.ts";
import { startSandbox } from "../sandbox/server.ts";
import { spawnGateway } from "./gateway.ts";
import { createClient, until } from "./jobs/wire.ts";
import { runProgram } from "./program.ts";

const start = [
  ...["run", "--no-prompt", "--cached-only", "--allow-net", "--allow-env", "--allow-read"],
  "main.ts",
];

const line = JSON.stringify({
  recordId: "a",
  modelInput: { messages: [{ role: "user", content: [{ text: "What is 2 + 2?" }] }] },
});

/** A gateway without permission to write, on simulated providers. */
async function inPlatform(
  objects: Readonly<Record<string, unknown>>,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const sandbox = await startSandbox({ batchSeconds: 0.2 });
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/batchway.jsonc`, JSON.stringify({ objects }));
  const port = freePort();
  const gateway = await spawnGateway({
    ...sandboxEnvironment(sandbox),
    BATCHWAY_CONFIG: `${folder}/batchway.jsonc`,
    BATCHWAY_DATA: `${folder}/data`,
    BATCHWAY_POLL_SECONDS: "0",
    // The clients of this test sign nothing.
    BATCHWAY_ALLOW_ANONYMOUS: "1",
    // Where the platform's own KV stands: Deno keeps it by the program, below its own folder.
    DENO_DEPLOYMENT_ID: "test",
    DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}`,
  }, start);
  try {
    assert.equal(gateway.url, `http://127.0.0.1:${port}`);
    await work(gateway.url);
  } finally {
    await gateway.stop();
    await sandbox.close();
    await Deno.remove(folder, { recursive: true });
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

Deno.test("with a bucket for objects, jobs, parts and results need no disk", async () => {
  const store = { bucket: "s3://kept-objects/x", provider: "bedrock" };
  await inPlatform({ store }, async (url) => {
    const models = {
      openai: "gpt-4o-mini",
      gemini: "gemini-2.5-flash",
      anthropic: "claude-haiku-4-5",
    };
    for (const [provider, modelId] of Object.entries(models)) {
      const client = createClient(url, provider);
      const name = `${crypto.randomUUID()}.jsonl`;
      const put = await client.put(`inputs/${name}`, line);
      assert.equal(put.status, 200, await put.text());
      const arn = await client.create(`inputs/${name}`, { modelId });
      await until("the job ended", async () => (await client.get(arn)).status === "Completed");
      const read = await client.send(`/bedrock/files/out/${arn.split("/").at(-1)}/${name}.out`);
      assert.match(await read.text(), /2 \+ 2 = 4/);
    }
    const client = createClient(url);
    const path = `/bedrock/files/inputs/${crypto.randomUUID()}`;
    const begun = await (await client.send(`${path}?uploads`, { method: "POST" })).text();
    const id = /<UploadId>(.*?)<\/UploadId>/.exec(begun)?.[1];
    const part = await client.send(`${path}?partNumber=1&uploadId=${id}`, {
      method: "PUT",
      body: "some bytes",
    });
    assert.equal(part.status, 200, await part.text());
    const completed = await client.send(`${path}?uploadId=${id}`, {
      method: "POST",
      body: "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" +
        `${part.headers.get("etag")}</ETag></Part></CompleteMultipartUpload>`,
    });
    assert.match(await completed.text(), /<ETag>/);
    assert.equal(await (await client.send(path)).text(), "some bytes");
    const ready = await fetch(`${url}/readyz`);
    assert.equal(ready.status, 200, await ready.text());
  });
});

Deno.test("without a bucket, what needs a disk is refused by what SDKs do not repeat", async () => {
  await inPlatform({}, async (url) => {
    const client = createClient(url);
    const put = await client.put("inputs/any.csv", "a,b");
    const text = await put.text();
    assert.equal(put.status, 501, text);
    assert.match(text, /<Code>NotImplemented<.*no disk.*objects\.store/s);
    const parts = await client.send("/bedrock/files/inputs/parts?uploads", { method: "POST" });
    assert.equal(parts.status, 501, await parts.text());
  });
});

Deno.test("whom a gateway answers goes by where it really listens", () => {
  const host = (env: Readonly<Record<string, string>>) => hostOf((name) => env[name]);
  assert.equal(host({}), "127.0.0.1");
  assert.equal(host({ BATCHWAY_HOST: "::1" }), "::1");
  assert.equal(host({ DENO_DEPLOYMENT_ID: "x", BATCHWAY_HOST: "127.0.0.1" }), "0.0.0.0");
  assert.equal(host({ DENO_DEPLOY: "1" }), "0.0.0.0");
  assert.equal(host({ DENO_SERVE_ADDRESS: "tcp:0.0.0.0:8000" }), "0.0.0.0");
  assert.equal(host({ DENO_SERVE_ADDRESS: "tcp:[::1]:8000" }), "::1");
  assert.equal(host({ DENO_SERVE_ADDRESS: "tcp:127.0.0.1:8000" }), "127.0.0.1");
  assert.equal(host({ DENO_SERVE_ADDRESS: "unix:/run/x" }), "0.0.0.0");
});

Deno.test("without a disk and without a catalog elsewhere a start ends with what to set", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { code, stderr } = await startAlone({
      BATCHWAY_DATA: `${folder}/data`,
      DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${freePort()}`,
      OPENAI_API_KEY: "any",
    });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /no permission for the folder.*BATCHWAY_CATALOG.*deploy on Deno Deploy/s);
    assert.doesNotMatch(stderr, /at async|run again with/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Runs a start to its end, with these variables and without permission to write. */
function startAlone(environment: Readonly<Record<string, string>>) {
  return runProgram(Deno.execPath(), [
    ...start.slice(0, -1),
    "--unstable-kv",
    "--config",
    fileURLToPath(new URL("../deno.json", import.meta.url)),
    fileURLToPath(new URL("../main.ts", import.meta.url)),
  ], {
    HOME: Deno.env.get("HOME") ?? "/",
    ...(Deno.env.has("DENO_DIR") && { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" }),
    ...environment,
  });
}

Deno.test("on Deno Deploy no gateway starts without a key, whatever address it is given", async () => {
  const sandbox = await startSandbox({ batchSeconds: 1 });
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/batchway.jsonc`, "{}");
  try {
    for (const platform of ["DENO_DEPLOYMENT_ID", "DENO_DEPLOY"]) {
      const { code, stderr } = await startAlone({
        ...sandboxEnvironment(sandbox),
        BATCHWAY_CONFIG: `${folder}/batchway.jsonc`,
        BATCHWAY_DATA: `${folder}/data`,
        DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${freePort()}`,
        [platform]: "test",
      });
      assert.equal(code, 1, stderr);
      assert.match(stderr, /On Deno Deploy.*BATCHWAY_ADMIN_KEY_ID/s);
    }
  } finally {
    await sandbox.close();
    await Deno.remove(folder, { recursive: true });
  }
});
