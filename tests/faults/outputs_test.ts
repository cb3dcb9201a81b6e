import assert from "node:assert/strict";
import { setFaults } from "../clients/session.ts";
import { startTestGateway } from "../gateway.ts";
import { converse, createClient } from "../jobs/sharded/client.ts";
import { holds } from "../jobs/wire.ts";
import type { FaultRule } from "../../sandbox/faults.ts";
import { s3Faults } from "./s3_faults.ts";

/** What goes wrong once with a request of the writing of results. */
const faults: readonly FaultRule[] = ["PUT", "HEAD"].flatMap((method) =>
  Object.values(s3Faults).map((fault) => ({ ...fault, method }))
);

Deno.test("whatever goes wrong with the writing of results, they are whole before the job ends, and each record is paid once", async () => {
  const gateway = await startTestGateway({
    configuration: '{ "buckets": { "real-*": { "provider": "bedrock" } } }',
    sandbox: { batchSeconds: 0 },
  });
  try {
    const client = createClient(gateway.url);
    await client.put("bedrock", "real-inputs/in.jsonl", converse("a", "x"));
    const rules = faults.map((rule, n): FaultRule => ({
      ...rule,
      provider: "s3",
      path: `/real-out-${n}/`,
      times: 1,
    }));
    await setFaults(gateway.sandbox, ...rules);
    await Promise.all(faults.map(async (rule, n) => {
      const bucket = `real-out-${n}`;
      const more = { outputDataConfig: { s3OutputDataConfig: { s3Uri: `s3://${bucket}/` } } };
      const input = "s3://real-inputs/in.jsonl";
      const id = await client.create("openai", "gpt-4o-mini", input, {}, more);
      const job = await client.ended("openai", id);
      assert.equal(job.status, "Completed", JSON.stringify([rule, job]));
      const text = await client.read("bedrock", `${bucket}/${id}/in.jsonl.out`);
      assert.equal(text, await client.read("openai", `${bucket}/${id}/in.jsonl.out`));
      assert.equal((await client.keys("bedrock", bucket)).length, 2);
    }));
    assert.equal(await holds(gateway.sandbox, "openai", "batches"), faults.length);
  } finally {
    await gateway.stop();
  }
});
