import assert from "node:assert/strict";
import { temporaryFolder } from "../catalog/memory.ts";
import { denokvTest, findDenokv, startDenokv } from "../denokv.ts";
import { startTestGateway } from "../gateway.ts";
import { asked, createClient, holds, ledger, openaiLines, until } from "../jobs/wire.ts";
import { hinder } from "./hindered.ts";

const denokv = await findDenokv();
const catalogLimits = { milliseconds: 400, maxHanging: 64 };

denokvTest(
  denokv,
  "while the catalog is away requests are refused in time, and go on when it is back",
  async (path) => {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/catalog.db`;
    let server = await startDenokv(path, file);
    const gateway = await startTestGateway({
      env: {
        ...server.environment,
        BATCHWAY_DATA: folder.path,
        BATCHWAY_SWEEP_SECONDS: "0.3",
      },
      catalogLimits,
    });
    try {
      const client = createClient(gateway.url);
      await client.upload("openai-files/before.jsonl");
      const arn = await client.create("openai-files/before.jsonl");
      await server.kill();

      const put = await client.put("openai-files/during.jsonl", openaiLines);
      assert.equal(put.status, 503);
      assert.ok(put.headers.has("retry-after"));
      assert.match(await put.text(), /<Code>ServiceUnavailable<.*catalog does not answer/s);
      const create = await client.createRaw("openai-files/before.jsonl");
      assert.equal(create.status, 503);
      assert.equal(create.headers.get("x-amzn-errortype"), "ServiceUnavailableException");
      await create.body?.cancel();
      const ready = await client.send("/readyz");
      assert.deepEqual([ready.status, (await ready.json()).catalog], [503, "unavailable"]);
      const health = await client.send("/healthz");
      assert.equal(health.status, 200, await health.text());

      server = await startDenokv(path, file, Number(new URL(server.url).port));
      await until("it is ready again", async () => {
        const answer = await client.send("/readyz");
        await answer.body?.cancel();
        return answer.ok;
      });
      const before = await client.send("/bedrock/files/openai-files/before.jsonl");
      assert.equal(await before.text(), openaiLines);
      await until("the job completes", async () => (await client.get(arn)).status === "Completed");
      await client.upload("openai-files/during.jsonl");
      await until("nothing is left over", async () => {
        const { holdings } = await ledger(gateway.sandbox);
        const files = holdings["openai"]?.["files"]?.items ?? [];
        return files.filter((file) => file["purpose"] === "batch").length === 2;
      });
    } finally {
      await gateway.stop();
      await server.kill();
    }
  },
  { sanitizeOps: false },
);

denokvTest(
  denokv,
  "a record that comes after its put was given up finds its file",
  async (path) => {
    await using folder = await temporaryFolder();
    const server = await startDenokv(path, `${folder.path}/catalog.db`);
    await using way = hinder(server);
    const gateway = await startTestGateway({
      env: { ...way.environment, BATCHWAY_DATA: folder.path, BATCHWAY_SWEEP_SECONDS: "0.2" },
      catalogLimits,
    });
    try {
      const client = createClient(gateway.url);
      const key = "openai-files/key.jsonl";
      const old = await client.upload(key);
      const held = Promise.withResolvers<void>();
      way.hold(held.promise);
      const put = await client.put(key, openaiLines);
      assert.equal(put.status, 503, await put.text());
      // Several sweeps pass by, none of which may take the new file for lost.
      const before = way.commits();
      await until("sweeps pass by", () => Promise.resolve(way.commits() >= before + 3));
      assert.equal(await holds(gateway.sandbox, "openai", "files"), 2);
      way.hold(undefined);
      held.resolve();
      await until("the record is there", async () => {
        const head = await client.send(`/bedrock/files/${key}`, { method: "HEAD" });
        return head.headers.get("etag") !== `"${old}"`;
      });
      await until(
        "the old file goes",
        async () => await holds(gateway.sandbox, "openai", "files") === 1,
      );
      const read = await client.send(`/bedrock/files/${key}`);
      assert.equal(await read.text(), openaiLines);
    } finally {
      await gateway.stop();
      await server.kill();
    }
  },
);

denokvTest(
  denokv,
  "commits whose answers are lost are neither lost nor done twice",
  async (path) => {
    await using folder = await temporaryFolder();
    const server = await startDenokv(path, `${folder.path}/catalog.db`);
    await using way = hinder(server);
    const gateway = await startTestGateway({
      env: { ...way.environment, BATCHWAY_DATA: folder.path, BATCHWAY_SWEEP_SECONDS: "0.2" },
    });
    try {
      const client = createClient(gateway.url);
      way.loseEvery(3);
      const keys = Array.from({ length: 8 }, (_, n) => `openai-files/${n % 6}.jsonl`);
      for (const key of keys) await client.upload(key);
      const arns = await Promise.all(
        keys.map((key, n) =>
          client.create(key, { jobName: `job-${n}`, clientRequestToken: `token-${n}` })
        ),
      );
      assert.equal(new Set(arns).size, keys.length);
      assert.equal(await asked(gateway.sandbox, "POST", /^\/batches$/), keys.length);
      const gone = await client.send("/bedrock/files/openai-files/0.jsonl", { method: "DELETE" });
      assert.equal(gone.status, 204);
      await until(
        "all complete",
        async () =>
          (await client.list("?maxResults=100&statusEquals=Completed")).length === keys.length,
      );
      await until("nothing is left over", async () => {
        const { holdings } = await ledger(gateway.sandbox);
        const files = holdings["openai"]?.["files"]?.items ?? [];
        return files.filter((file) => file["purpose"] === "batch").length === 5;
      });
      for (let n = 1; n < 6; n++) {
        const read = await client.send(`/bedrock/files/openai-files/${n}.jsonl`);
        assert.equal(await read.text(), openaiLines);
      }
    } finally {
      await gateway.stop();
      await server.kill();
    }
  },
);
