import assert from "node:assert/strict";
import { startSandbox } from "../../sandbox/server.ts";
import { temporaryFolder } from "../catalog/memory.ts";
import { spawnGateway } from "../gateway.ts";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { asked, createClient, fault, holds, ledger, until } from "./wire.ts";

const token = (name: string) => ({ clientRequestToken: name });

Deno.test("kill -9 between a provider's accept and the catalog's record loses nothing and doubles nothing", async () => {
  await using folder = await temporaryFolder();
  const sandbox = await startSandbox({ batchSeconds: 1 });
  const environment = {
    ...sandboxEnvironment(sandbox),
    BATCHWAY_DATA: folder.path,
    BATCHWAY_POLL_SECONDS: "0",
    BATCHWAY_SWEEP_SECONDS: "0.2",
  };
  let gateway = await spawnGateway(environment);
  try {
    const client = createClient(gateway.url);
    for (const name of ["retried", "forgotten", "kept"]) {
      await client.upload(`openai-files/${name}.jsonl`);
    }
    const known = await client.create("openai-files/kept.jsonl", token("kept"));
    // The provider takes two jobs and a file, and the gateway dies before it hears of it.
    await fault(sandbox, { provider: "openai", method: "POST", delayAfterSeconds: 60, times: 3 });
    const lost = [
      client.create("openai-files/retried.jsonl", { jobName: "retried", ...token("retried") }),
      client.create("openai-files/forgotten.jsonl", {
        jobName: "forgotten",
        ...token("forgotten"),
      }),
      client.upload("openai-files/lost.jsonl"),
    ].map((request) => assert.rejects(request));
    await until(
      "the provider has all three",
      async () =>
        await holds(sandbox, "openai", "batches") === 3 &&
        await holds(sandbox, "openai", "files") === 4,
    );
    await gateway.kill();
    await Promise.all(lost);

    gateway = await spawnGateway(environment);
    const again = createClient(gateway.url);
    const retry = { jobName: "retried", ...token("retried") };
    const [arn, same] = await Promise.all([
      again.create("openai-files/retried.jsonl", retry),
      again.create("openai-files/retried.jsonl", retry),
    ]);
    assert.equal(same, arn);
    // Nobody asks for this one: it shows up by itself.
    const found = await until(
      "the forgotten job is listed",
      async () => (await again.list()).find(({ jobName }) => jobName === "forgotten"),
    );
    assert.equal(found.clientRequestToken, "forgotten");
    assert.deepEqual(found.outputDataConfig, { s3OutputDataConfig: { s3Uri: "s3://out/" } });
    const jobs = await again.list();
    assert.deepEqual(
      new Set(jobs.map(({ jobArn }) => jobArn)),
      new Set([known, arn, found.jobArn]),
    );
    assert.equal(await holds(sandbox, "openai", "batches"), 3);
    assert.equal(await asked(sandbox, "POST", /^\/batches$/), 3);
    await until(
      "the jobs complete",
      async () => (await again.list("?statusEquals=Completed")).length === 3,
    );
    // The upload was never acknowledged: it is no object, and its file is swept.
    await until("the stray file is gone", async () => {
      const { holdings } = await ledger(sandbox);
      const names = holdings["openai"]?.["files"]?.items.map((file) => String(file["filename"]));
      return names?.every((name) => !name.startsWith("lost"));
    });
    for (const name of ["retried", "forgotten", "kept"]) {
      const object = await again.send(`/bedrock/files/openai-files/${name}.jsonl`);
      assert.equal(object.status, 200);
      await object.body?.cancel();
    }
    assert.equal(await gateway.stop(), 0);
  } finally {
    await gateway.kill();
    await sandbox.close();
  }
});

Deno.test("two gateway processes on one catalog make one batch of creates that race", async () => {
  await using folder = await temporaryFolder();
  const sandbox = await startSandbox({ batchSeconds: 0.2 });
  const environment = { ...sandboxEnvironment(sandbox), BATCHWAY_DATA: folder.path };
  const gateways = await Promise.all([spawnGateway(environment), spawnGateway(environment)]);
  try {
    const [one, two] = gateways.map(({ url }) => createClient(url));
    assert.ok(one && two);
    const id = await one.upload("bucket/in.jsonl");
    await fault(sandbox, { provider: "openai", method: "POST", latencySeconds: 0.2 });
    const arns = await Promise.all(
      Array.from(
        { length: 20 },
        (_, n) => (n % 2 ? one : two).create("bucket/in.jsonl", token("t")),
      ),
    );
    const other = await two.create(`bucket/${id}`, token("t"));
    assert.deepEqual(new Set(arns).size, 1);
    assert.notEqual(other, arns[0]);
    assert.equal(await holds(sandbox, "openai", "batches"), 2);
    await until(
      "the operator is told",
      () =>
        Promise.resolve(/Token came again with other parameters/.test(gateways[1]?.log() ?? "")),
    );
  } finally {
    for (const gateway of gateways) assert.equal(await gateway.stop(), 0);
    await sandbox.close();
  }
});
