import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { sandboxEnvironment } from "../../../sandbox/environment.ts";
import { startSandbox } from "../../../sandbox/server.ts";
import { temporaryFolder } from "../../catalog/memory.ts";
import { type GatewayProcess, spawnGateway, unlimited } from "../../gateway.ts";
import { passingTime } from "../passing_time.ts";
import { ranAt, usageAt } from "../../accounts/simulators.ts";
import { holds, ledger, until } from "../wire.ts";
import { converse, createClient } from "./client.ts";

const program = fileURLToPath(new URL("../crashing_gateway.ts", import.meta.url));

const steps: Readonly<Record<string, { model: string; steps: readonly string[] }>> = {
  openai: {
    model: "gpt-4o-mini",
    steps: [
      "after the job's record",
      "before its shards",
      "between its shards and that they are all",
      "after its preparation",
      "before a shard's file is recorded",
      "after a shard's file is recorded",
      "before a batch is asked for",
      "as a batch is about to be asked for",
      "before a batch is recorded",
      "after a batch is recorded",
      "before the end",
      "after the end",
    ],
  },
  gemini: {
    model: "gemini-2.5-flash",
    steps: [
      "after its preparation",
      "before a shard's file is recorded",
      "as a batch is about to be asked for",
      "before a batch is recorded",
      "before the end",
    ],
  },
  anthropic: {
    model: "claude-3-5-haiku-20241022",
    steps: [
      "after its preparation",
      "as a batch is about to be asked for",
      "before a batch is recorded",
      "after a batch is recorded",
    ],
  },
};

for (const [provider, { model, steps: all }] of Object.entries(steps)) {
  Deno.test(`${provider}: kill -9 at every step of a translated job leaves one batch and all its results`, async () => {
    await using folder = await temporaryFolder();
    const time = await passingTime(folder.path);
    const sandbox = await startSandbox({ batchSeconds: 0.3 }, { now: time.now });
    const environment = {
      ...sandboxEnvironment(sandbox),
      BATCHWAY_DATA: `${folder.path}/data`,
      PASSED_IN: time.file,
      BATCHWAY_POLL_SECONDS: "0",
      // Each dies of its own job, and leaves those of others alone.
      BATCHWAY_SWEEP_SECONDS: "600",
    };
    const spawn = (more: Record<string, string> = {}) =>
      spawnGateway({ ...environment, ...more }, unlimited(program));
    const running = new Set<GatewayProcess>();
    try {
      const jobs = new Map<string, string>();
      let isPut = false;
      for (const step of all) {
        const dying = await spawn({ CRASH_AT: step });
        running.add(dying);
        const client = createClient(dying.url);
        if (!isPut) {
          const lines = ["one", "two", "three"].map((text) => converse(text, text)).join("\n");
          await client.put("openai", "bucket/in.jsonl", lines);
          isPut = true;
        }
        const tags = {
          "batchway:dialect": "bedrock-converse",
          "batchway:input-provider": "openai",
        };
        const more = { jobName: "died", clientRequestToken: `token${jobs.size}` };
        const answer = await client.create(provider, model, "s3://bucket/in.jsonl", tags, more)
          .catch(() => "");
        // Polls bring it to its end, and to the steps of that.
        await until(
          `${step}: the gateway dies`,
          () => client.get(provider, answer).then(() => undefined, () => true),
        );
        jobs.set(step, answer);
        await dying.kill();
        running.delete(dying);
      }
      await time.pass();
      const survivor = await spawn({ BATCHWAY_SWEEP_SECONDS: "0.2" });
      running.add(survivor);
      const client = createClient(survivor.url);
      for (const [step, answer] of jobs) {
        // The answer may be lost: then the same create returns the job.
        const at = [...jobs.keys()].indexOf(step);
        const tags = {
          "batchway:dialect": "bedrock-converse",
          "batchway:input-provider": "openai",
        };
        const more = { jobName: "died", clientRequestToken: `token${at}` };
        const id = await client.create(provider, model, "s3://bucket/in.jsonl", tags, more);
        if (answer !== "") assert.equal(id, answer, step);
        const job = await client.ended(provider, id);
        assert.equal(job.status, "Completed", `${step}: ${JSON.stringify(job)}${survivor.log()}`);
        const results = await client.read(provider, `results/out/${id}/in.jsonl.out`);
        const ids = results.trimEnd().split("\n").map((line) => JSON.parse(line).recordId);
        assert.deepEqual(ids, ["one", "two", "three"], step);
      }
      assert.equal(await holds(sandbox, provider, "batches"), all.length);
      // Each job is counted once, with what its provider ran.
      const ran = await ranAt(sandbox, provider);
      const [used, ...others] = await usageAt(survivor.url);
      assert.deepEqual(others, []);
      assert.deepEqual(
        [used?.jobs, used?.records, used?.inputTokens, used?.outputTokens],
        [all.length, 3 * all.length, ran.input, ran.output],
      );
      if (provider !== "anthropic") {
        await until("the files of the shards are gone", async () => {
          const { holdings } = await ledger(sandbox);
          const files = holdings[provider]?.["files"]?.items ?? [];
          const names = files.map((file) => String(file["filename"] ?? file["displayName"]));
          return names.filter((name) => jobs.size > 0 && /^[a-z0-9]{12}-0/.test(name)).length === 0;
        });
      }
    } finally {
      for (const one of running) await one.kill();
      await sandbox.close();
    }
  });
}
