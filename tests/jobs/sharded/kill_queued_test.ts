/** Gateways that die while a job of one batch is made one that waits. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { FaultRule } from "../../../sandbox/faults.ts";
import { sandboxEnvironment } from "../../../sandbox/environment.ts";
import { startSandbox } from "../../../sandbox/server.ts";
import { temporaryFolder } from "../../catalog/memory.ts";
import { spawnGateway, unlimited } from "../../gateway.ts";
import { passingTime } from "../passing_time.ts";
import { createClient, fault, holds, until } from "../wire.ts";

const program = fileURLToPath(new URL("../crashing_gateway.ts", import.meta.url));

const tooMany: FaultRule = {
  provider: "openai",
  method: "POST",
  path: "/batches$",
  status: 429,
  times: 1,
  headers: { "x-should-retry": "false" },
  body: '{"error":{"message":"too many","type":"requests","code":"rate_limit_exceeded"}}',
};

const noTokens: FaultRule = {
  provider: "openai",
  method: "GET",
  path: "/batches/[^/]+$",
  times: 1,
  replaceMembers: {
    status: "failed",
    errors: {
      object: "list",
      data: [{ code: "token_limit_exceeded", message: "Enqueued token limit reached" }],
    },
  },
};

/** Where a gateway dies, and how many batches there are in the end. */
const deaths: readonly (readonly [step: string, rule: FaultRule, batches: number])[] = [
  ["before the record", tooMany, 1],
  ["between the record and the answer", tooMany, 1],
  ["before its shards", tooMany, 1],
  ["as a batch is about to be asked for", tooMany, 1],
  ["before its batch becomes shards", noTokens, 1],
  // The first one ran nothing, as its provider said.
  ["after its batch became shards", noTokens, 2],
  ["before a batch is recorded", noTokens, 2],
];

for (const [step, rule, batches] of deaths) {
  const why = rule === tooMany ? "429" : "the quota of tokens";
  Deno.test(`kill -9 ${step} of a job that waits because of ${why} makes no batch twice`, () =>
    dieAt(step, rule, batches));
}

async function dieAt(step: string, rule: FaultRule, batches: number): Promise<void> {
  await using folder = await temporaryFolder();
  const time = await passingTime(folder.path);
  const sandbox = await startSandbox({ batchSeconds: 0.2 }, { now: time.now });
  const environment = {
    ...sandboxEnvironment(sandbox),
    BATCHWAY_DATA: `${folder.path}/data`,
    PASSED_IN: time.file,
    BATCHWAY_POLL_SECONDS: "0",
    BATCHWAY_SWEEP_SECONDS: "0.2",
  };
  const request = { clientRequestToken: "once", modelId: "gpt-4o-mini" };
  try {
    const dying = await spawnGateway({ ...environment, CRASH_AT: step }, unlimited(program));
    const client = createClient(dying.url);
    try {
      await client.upload("bucket/in.jsonl");
      await fault(sandbox, rule);
      await until(`${step}: the gateway dies`, async () => {
        const created = await client.createRaw("bucket/in.jsonl", request).catch(() => undefined);
        const text = await created?.text().catch(() => "");
        const isDead = !text ||
          await client.get(JSON.parse(text).jobArn).then(() => false, () => true);
        return isDead;
      });
    } finally {
      await dying.kill();
    }
    // The lease of the one that died, and its provider's time for what it was asked, run out.
    await time.pass();
    const survivor = await spawnGateway(environment, unlimited(program));
    try {
      const after = createClient(survivor.url);
      const job = await until("the job ends", async () => {
        const created = await after.createRaw("bucket/in.jsonl", request);
        const text = await created.text();
        if (!created.ok) return undefined;
        const seen = await after.get(JSON.parse(text).jobArn);
        return ["Completed", "Failed"].includes(seen.status) && seen;
      });
      assert.equal(job.status, "Completed", `${JSON.stringify(job)}${survivor.log()}`);
      assert.equal(job["successRecordCount"], 3);
      assert.equal((await after.list()).length, 1);
    } finally {
      await survivor.kill();
    }
    assert.equal(await holds(sandbox, "openai", "batches"), batches);
  } finally {
    await sandbox.close();
  }
}
