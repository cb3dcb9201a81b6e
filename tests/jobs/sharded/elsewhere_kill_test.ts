import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { sandboxEnvironment } from "../../../sandbox/environment.ts";
import { startSandbox } from "../../../sandbox/server.ts";
import { temporaryFolder } from "../../catalog/memory.ts";
import { type GatewayProcess, spawnGateway, unlimited } from "../../gateway.ts";
import { passingTime } from "../passing_time.ts";
import { holds, until } from "../wire.ts";
import { converse, createClient } from "./client.ts";

const program = fileURLToPath(new URL("../crashing_gateway.ts", import.meta.url));
const input = "s3://real-inputs/in.jsonl";
const more = {
  clientRequestToken: "token",
  outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://real-results/out" } },
};

type Client = ReturnType<typeof createClient>;

/** Kills a gateway at a step of a job, and gives the next one what is done about it meanwhile. */
async function killedAt(
  step: string,
  then: (client: Client, batches: () => Promise<number>, id: string) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  const time = await passingTime(folder.path);
  const sandbox = await startSandbox({ batchSeconds: 0 }, { now: time.now });
  const config = `${folder.path}/batchway.jsonc`;
  await Deno.writeTextFile(config, '{ "buckets": { "real-*": { "provider": "bedrock" } } }');
  const environment = {
    ...sandboxEnvironment(sandbox),
    BATCHWAY_CONFIG: config,
    BATCHWAY_DATA: `${folder.path}/data`,
    PASSED_IN: time.file,
    BATCHWAY_POLL_SECONDS: "0",
    BATCHWAY_SWEEP_SECONDS: "0.2",
  };
  const running = new Set<GatewayProcess>();
  const spawn = async (more: Record<string, string> = {}) => {
    const one = await spawnGateway({ ...environment, ...more }, unlimited(program));
    running.add(one);
    return { one, client: createClient(one.url) };
  };
  try {
    const dying = await spawn({ CRASH_AT: step });
    await dying.client.put("bedrock", "real-inputs/in.jsonl", converse("first", "x"));
    const create = ({ create }: Client) => create("openai", "gpt-4o-mini", input, {}, more);
    const answer = await create(dying.client).catch(() => "");
    await until(
      `${step}: the gateway dies`,
      () => dying.client.get("openai", answer).then(() => undefined, () => true),
    );
    await dying.one.kill();
    await time.pass();
    const { client } = await spawn({ BATCHWAY_SWEEP_SECONDS: "600" });
    await then(client, () => holds(sandbox, "openai", "batches"), answer);
  } finally {
    for (const one of running) await one.kill();
    await sandbox.close();
  }
}

Deno.test("an input in S3 that was replaced before it was read is noticed, and nothing is sent", () =>
  killedAt("after the job's record", async (client, batches) => {
    await client.put("bedrock", "real-inputs/in.jsonl", converse("second", "another text"));
    const ids = await until("the job is listed", async () => {
      const found = await client.list("openai");
      return found.length > 0 && found;
    });
    assert.equal(ids.length, 1);
    const job = await client.ended("openai", ids[0] ?? "");
    assert.equal(job.status, "Failed", JSON.stringify(job));
    assert.match(job.message ?? "", /It was changed after the job was created/);
    assert.equal(await batches(), 0);
  }));

Deno.test("a gateway that dies between the writing of the results and the end leaves them whole, and the next one ends the job", () =>
  killedAt("before the end", async (client, batches, id) => {
    const keys = [`out/${id}/in.jsonl.out`, `out/${id}/manifest.json.out`];
    assert.deepEqual(await client.keys("bedrock", "real-results"), keys);
    const read = () =>
      Promise.all(keys.map((key) => client.read("bedrock", `real-results/${key}`)));
    const written = await read();
    // What ran is its copy: the object itself may go.
    await client.put("bedrock", "real-inputs/in.jsonl", "not even JSON");
    const job = await client.ended("openai", id);
    assert.equal(job.status, "Completed", JSON.stringify(job));
    assert.deepEqual(await read(), written);
    assert.deepEqual(await client.keys("bedrock", "real-results"), keys);
    assert.equal(await batches(), 1);
  }));
