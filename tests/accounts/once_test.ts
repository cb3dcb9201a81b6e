/** What could count a job twice, or not at all: two gateways at one job, and backups. */
import assert from "node:assert/strict";
import { backupLines } from "../../care/export.ts";
import { importBackup } from "../../care/import.ts";
import { openKv } from "../../catalog/kv.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { all, sleep, temporaryFolder } from "../catalog/memory.ts";
import { startTestGateway } from "../gateway.ts";
import { createClient, until } from "../jobs/wire.ts";
import { ranAt, usageAt } from "./simulators.ts";

Deno.test("two gateways that end the same job count it once", async () => {
  await using folder = await temporaryFolder();
  const sandbox = await startSandbox({ batchSeconds: 0.3 });
  const options = { providers: sandbox, catalogPath: `${folder.path}/catalog.kv` };
  const first = await startTestGateway(options);
  const second = await startTestGateway(options);
  try {
    const clients = [createClient(first.url), createClient(second.url)];
    await clients[0]?.upload("bucket/in.jsonl");
    const arns = await Promise.all(
      [0, 1, 2].map((n) => clients[n % 2]?.create("bucket/in.jsonl", { modelId: "gpt-4o-mini" })),
    );
    await until("all are over", async () => {
      const polls = arns.flatMap((arn) => clients.map((client) => client.get(arn ?? "")));
      return (await Promise.all(polls)).every(({ status }) => status === "Completed");
    });
    const ran = await ranAt(sandbox, "openai");
    // Where strangers are let in they see their own tenant.
    const open = { ...options, env: { BATCHWAY_ALLOW_ANONYMOUS: "1" } };
    const third = await startTestGateway(open);
    const seen = await usageAt(third.url, "tenant").finally(() => third.stop());
    assert.deepEqual(seen.map(({ jobs }) => jobs), [3]);
    for (const { url } of [first, second]) {
      const [row, ...others] = await usageAt(url);
      assert.deepEqual(others, []);
      assert.deepEqual([row?.jobs, row?.records, row?.inputTokens, row?.outputTokens], [
        3,
        9,
        ran.input,
        ran.output,
      ]);
    }
  } finally {
    await first.stop();
    await second.stop();
    await sandbox.close();
  }
});

Deno.test("a job is counted once whenever the backup was made that is imported", async () => {
  await using folder = await temporaryFolder();
  const sandbox = await startSandbox({ batchSeconds: 0.3 });
  const path = `${folder.path}/catalog.kv`;
  const backup = async () => {
    const kv = await openKv(path);
    try {
      return (await all(backupLines(kv, new Date()))).join("");
    } finally {
      kv.close();
    }
  };
  let gateway = await startTestGateway({ providers: sandbox, catalogPath: path });
  try {
    const client = createClient(gateway.url);
    await client.upload("bucket/in.jsonl");
    const arn = await client.create("bucket/in.jsonl", { modelId: "gpt-4o-mini" });
    const before = await backup();
    await until("it is over", async () => (await client.get(arn)).status === "Completed");
    const counted = await usageAt(gateway.url, "tenant,provider,model,day");
    assert.equal(counted.length, 1);
    assert.deepEqual([counted[0]?.jobs, counted[0]?.records], [1, 3]);
    const after = await backup();
    for (const [n, text] of [before, after].entries()) {
      await gateway.stop();
      const catalogPath = `${folder.path}/imported-${n}.kv`;
      const kv = await openKv(catalogPath);
      const open = () => Promise.resolve(new Blob([text]).stream());
      await importBackup({ kv, sleep, open, force: false });
      kv.close();
      gateway = await startTestGateway({ providers: sandbox, catalogPath });
      const again = createClient(gateway.url);
      await until("it is over again", async () => (await again.get(arn)).status === "Completed");
      assert.deepEqual(await usageAt(gateway.url, "tenant,provider,model,day"), counted);
    }
  } finally {
    await gateway.stop();
    await sandbox.close();
  }
});
