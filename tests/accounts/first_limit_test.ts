/** Keys that get their first limit in the middle of a month. */
import assert from "node:assert/strict";
import { createClient, until } from "../jobs/wire.ts";
import { signing, withKeys } from "../keys.ts";

const configuration = JSON.stringify({ prices: { "gpt-4o-mini": { input: 100, output: 1000 } } });
const more = { modelId: "gpt-4o-mini" };

Deno.test("what a key used in the month before its first limit counts, with the jobs that run", () =>
  withKeys(async ({ url }, keys) => {
    const [key, other] = [await keys.add({ tenant: "a" }), await keys.add({ tenant: "a" })];
    const [client, neighbour] = [key, other].map((one) =>
      createClient(url, "openai", signing(one))
    );
    assert.ok(client && neighbour);
    await client.upload("bucket/in.jsonl");
    const ended = [
      await client.create("bucket/in.jsonl", more),
      await neighbour.create("bucket/in.jsonl", more),
    ];
    for (const arn of ended) {
      await until("it is over", async () => (await client.get(arn)).status === "Completed");
    }
    const headers = { authorization: `Bearer ${key.bearerToken}` };
    const { rows } = await (await fetch(`${url}/usage?by=key`, { headers })).json();
    const used = rows.find((row: { key: string }) => row.key === key.accessKeyId);
    assert.ok(used.cost > 0);
    const monthOf = async () =>
      (await keys.list()).find(({ accessKeyId }) => accessKeyId === key.accessKeyId)?.month;
    assert.equal(await monthOf(), undefined);

    // Of a label nothing is counted, and of limits once.
    await keys.set(key.accessKeyId, (old) => ({ ...old, label: "nightly" }));
    await keys.set(key.accessKeyId, (old) => ({ ...old, maxJobs: 2 }));
    const first = (await monthOf())?.used;
    assert.deepEqual([first?.jobs, first?.records, first?.cost], [1, 3, used.cost]);
    await keys.set(key.accessKeyId, (old) => ({ ...old, maxRecords: 100 }));
    assert.deepEqual((await monthOf())?.used, first);
    // The gateway hears of the limit within seconds.
    await until("it is limited", async () => {
      const { status, body } = await client.createRaw("bucket/in.jsonl", more);
      await body?.cancel();
      return status === 400;
    });
    const month = await monthOf();
    assert.ok(month && month.used.jobs + month.reserved.jobs >= 2);
  }, { configuration, sandbox: { batchSeconds: 0.3 } }));

Deno.test("a job that runs when its key gets a limit counts once, also when it is over", () =>
  withKeys(async ({ url }, keys) => {
    const key = await keys.add({ tenant: "a" });
    const client = createClient(url, "openai", signing(key));
    await client.upload("bucket/in.jsonl");
    const arn = await client.create("bucket/in.jsonl", more);
    await keys.set(key.accessKeyId, (old) => ({ ...old, maxJobs: 1 }));
    const used = async () => (await keys.list())[0]?.month?.used.jobs;
    assert.equal(await used(), 1);
    await until("it is over", async () => (await client.get(arn)).status === "Completed");
    assert.equal(await used(), 1);
    // A limit that was taken away and comes back counts nothing twice.
    await keys.set(key.accessKeyId, ({ maxJobs: _, ...old }) => old);
    await keys.set(key.accessKeyId, (old) => ({ ...old, maxJobs: 5 }));
    assert.equal(await used(), 1);
  }, { configuration }));
