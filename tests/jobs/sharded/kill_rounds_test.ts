import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { sandboxEnvironment } from "../../../sandbox/environment.ts";
import { startSandbox } from "../../../sandbox/server.ts";
import { temporaryFolder } from "../../catalog/memory.ts";
import { spawnGateway, unlimited } from "../../gateway.ts";
import { passingTime } from "../passing_time.ts";
import { holds, until } from "../wire.ts";
import { converse, createClient } from "./client.ts";

const program = fileURLToPath(new URL("../crashing_gateway.ts", import.meta.url));

const steps = [
  "before a second batch is asked for",
  "before a second batch is recorded",
  "before a second round is recorded",
  "after a second round is recorded",
  "as a batch of the second round is about to be asked for",
  "before a batch of the second round is recorded",
];

const tags = {
  "batchway:dialect": "bedrock-converse",
  "batchway:fallback": "gemini/gemini-2.5-flash",
};

for (const step of steps) {
  Deno.test(`kill -9 ${step} pays each record once`, () => dieAt(step));
}

async function dieAt(step: string): Promise<void> {
  await using folder = await temporaryFolder();
  const time = await passingTime(folder.path);
  const sandbox = await startSandbox({ batchSeconds: 0.2 }, { now: time.now });
  const file = `${folder.path}/batchway.jsonc`;
  const batchLimits = { records: 2, running: 1 };
  await Deno.writeTextFile(
    file,
    JSON.stringify({ providers: { openai: { kind: "openai", batchLimits } } }),
  );
  const environment = {
    ...sandboxEnvironment(sandbox),
    BATCHWAY_CONFIG: file,
    BATCHWAY_DATA: `${folder.path}/data`,
    PASSED_IN: time.file,
    BATCHWAY_POLL_SECONDS: "0",
    BATCHWAY_SWEEP_SECONDS: "600",
  };
  const lines = ["one", "two", "three"].map((text) => converse(text, text)).join("\n");
  try {
    const dying = await spawnGateway({ ...environment, CRASH_AT: step }, unlimited(program));
    const client = createClient(dying.url);
    let id = "";
    try {
      await client.put("openai", "bucket/in.jsonl", lines);
      id = await client.create("openai", "fail-always", "s3://bucket/in.jsonl", tags);
      await until(
        `${step}: the gateway dies`,
        () => client.get("openai", id).then(() => undefined, () => true),
      );
    } finally {
      await dying.kill();
    }
    // The lease of the one that died, and its provider's time for what it was asked, run out.
    await time.pass();
    const survivor = await spawnGateway(
      { ...environment, BATCHWAY_SWEEP_SECONDS: "0.2" },
      unlimited(program),
    );
    try {
      const after = createClient(survivor.url);
      const job = await after.ended("openai", id);
      assert.equal(job.status, "Completed", `${step}: ${JSON.stringify(job)}${survivor.log()}`);
      assert.equal(job.successRecordCount, 3, step);
      const results = await after.read("openai", `results/out/${id}/in.jsonl.out`);
      const ids = results.trimEnd().split("\n").map((line) => JSON.parse(line).recordId);
      assert.deepEqual(ids, ["one", "two", "three"], step);
    } finally {
      await survivor.kill();
    }
    assert.equal(await holds(sandbox, "openai", "batches"), 2, step);
    assert.equal(await holds(sandbox, "gemini", "batches"), 1, step);
  } finally {
    await sandbox.close();
  }
}
