/** Every request by which a job reads its input in a real bucket × every way for it to go wrong. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { FaultRecord, FaultRule } from "../../sandbox/faults.ts";
import { setFaults } from "../clients/session.ts";
import { startTestGateway, type TestGateway } from "../gateway.ts";
import { converse, createClient } from "../jobs/sharded/client.ts";
import { holds, until } from "../jobs/wire.ts";
import { passingS3Faults } from "./s3_faults.ts";

const configuration = '{ "buckets": { "real-*": { "provider": "bedrock" } } }';
const lines = ["a", "b"].map((id) => converse(id, "x")).join("\n");

/** A way of reading; the requests of a create come first, and go well. */
interface Reading {
  readonly input: string;
  readonly call: (bucket: string) => Pick<FaultRule, "method" | "path" | "query" | "passes">;
}

const object = (path: string, passes: number) => (bucket: string) => (
  { method: "GET", path: `/${bucket}/${path}$`, passes }
);

const readings: Readonly<Record<string, Reading>> = {
  "an object": { input: "run/in.jsonl", call: object("run/in.jsonl", 2) },
  "a .gz object": { input: "run/in.jsonl.gz", call: object("run/in.jsonl.gz", 2) },
  "the list of a folder": {
    input: "run/",
    call: (bucket) => ({ method: "GET", path: `/${bucket}/?$`, query: "list-type=2", passes: 2 }),
  },
  "a file of a folder": { input: "run/", call: object("run/in.jsonl.gz", 0) },
};

async function started(): Promise<TestGateway> {
  return await startTestGateway({ configuration, sandbox: { batchSeconds: 0 } });
}

async function fill({ url }: TestGateway, bucket: string): Promise<void> {
  const put = async (path: string, body: string | Uint8Array<ArrayBuffer>) => {
    const answer = await fetch(`${url}/bedrock/files/${bucket}/${path}`, {
      method: "PUT",
      headers: { "x-model-provider": "bedrock" },
      body,
    });
    assert.equal(answer.status, 200, await answer.text());
  };
  await put("run/in.jsonl", lines);
  await put("run/in.jsonl.gz", new Uint8Array(gzipSync(lines)));
}

for (const [what, { input, call }] of Object.entries(readings)) {
  Deno.test(`whatever goes wrong once as ${what} is read, the job runs every record once`, async () => {
    const gateway = await started();
    try {
      const client = createClient(gateway.url);
      const buckets = passingS3Faults.map((_, n) => `real-in-${n}`);
      for (const bucket of buckets) await fill(gateway, bucket);
      const rules = passingS3Faults.map(([, fault], n): FaultRule => ({
        ...fault,
        ...call(buckets[n] ?? ""),
        provider: "s3",
      }));
      await setFaults(gateway.sandbox, ...rules);
      await Promise.all(passingS3Faults.map(async ([name], n) => {
        const id = await client.create("openai", "gpt-4o-mini", `s3://${buckets[n]}/${input}`);
        const job = await client.ended("openai", id);
        assert.equal(job.status, "Completed", `${name}: ${JSON.stringify([id, job])}`);
        assert.equal(job.message, undefined, name);
        assert.equal(job.successRecordCount, input.endsWith("/") ? 4 : 2, name);
      }));
      assert.equal(await holds(gateway.sandbox, "openai", "batches"), rules.length);
      const struck: FaultRecord[] = await (await fetch(`${gateway.sandbox.controlUrl}/faults`))
        .json();
      for (const { rule, struck: times } of struck) assert.equal(times, 1, JSON.stringify(rule));
    } finally {
      await gateway.stop();
    }
  });
}

Deno.test("a bucket that refuses to be read keeps the job from starting and says so, until it is read", async () => {
  const gateway = await started();
  try {
    const client = createClient(gateway.url);
    await fill(gateway, "real-in");
    const read = { provider: "s3", method: "GET", path: "/real-in/", passes: 2 } as const;
    await setFaults(gateway.sandbox, { ...read, status: 403, times: 1_000 });
    const id = await client.create("openai", "gpt-4o-mini", "s3://real-in/run/in.jsonl");
    const seen = await until("the message says why", async () => {
      const job = await client.get("openai", id);
      return job.message !== undefined && job;
    });
    assert.equal(seen.status, "Validating");
    assert.match(
      seen.message ?? "",
      /^The job could not be prepared or started yet: .*real-in .*answered 403.*tried again\.$/,
    );
    assert.equal(await holds(gateway.sandbox, "openai", "batches"), 0);
    await setFaults(gateway.sandbox);
    const job = await client.ended("openai", id);
    assert.deepEqual([job.status, job.message], ["Completed", undefined]);
  } finally {
    await gateway.stop();
  }
});

Deno.test("an input whose bucket went before it was read fails the job, and nothing is sent", async () => {
  const gateway = await started();
  try {
    const client = createClient(gateway.url);
    await fill(gateway, "real-in");
    const gone = { provider: "s3", method: "GET", path: "/real-in/", passes: 2 } as const;
    await setFaults(gateway.sandbox, { ...gone, status: 404, times: 1_000 });
    const id = await client.create("openai", "gpt-4o-mini", "s3://real-in/run/in.jsonl");
    const job = await client.ended("openai", id);
    assert.equal(job.status, "Failed");
    assert.match(job.message ?? "", /s3:\/\/real-in\/run\/in\.jsonl is not there any more/);
    assert.equal(await holds(gateway.sandbox, "openai", "batches"), 0);
  } finally {
    await gateway.stop();
  }
});
