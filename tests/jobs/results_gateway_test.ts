import assert from "node:assert/strict";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { temporaryFolder } from "../catalog/memory.ts";
import { impatientGateway } from "../faults/impatient_gateway.ts";
import {
  type GatewayProcess,
  spawnGateway,
  startTestGateway,
  type TestGateway,
  type TestGatewayOptions,
} from "../gateway.ts";
import { asked, type Client, createClient, fault, openaiLines, until } from "./wire.ts";

async function withGateway(
  work: (client: Client, gateway: TestGateway) => Promise<void>,
  options?: TestGatewayOptions,
): Promise<void> {
  const gateway = await startTestGateway(options);
  try {
    await work(createClient(gateway.url), gateway);
  } finally {
    await gateway.stop();
  }
}

const ends = ["Completed", "Failed", "Stopped", "PartiallyCompleted", "Expired"];

async function ended(client: Client, arn: string) {
  return await until("the job ends", async () => {
    const job = await client.get(arn);
    return ends.includes(job.status) && job;
  });
}

/** The text of an object; the status where there is none. */
async function read(client: Client, path: string): Promise<string | number> {
  const response = await client.send(`/bedrock/files/${path}`);
  const text = await response.text();
  return response.ok ? text : response.status;
}

const counts = [
  "totalRecordCount",
  "processedRecordCount",
  "successRecordCount",
  "errorRecordCount",
];

/** Whether a manifest tells what its job does. */
function agrees(manifest: string | number, job: Readonly<Record<string, unknown>>): void {
  const told = JSON.parse(`${manifest}`);
  assert.deepEqual(counts.map((name) => told[name]), counts.map((name) => job[name]));
}

Deno.test("a job whose output bucket does not exist is refused where buckets are to be created", () =>
  withGateway(async (client) => {
    const make = async (bucket: string) => {
      const made = await client.send(`/bedrock/files/${bucket}`, { method: "PUT" });
      assert.equal(made.status, 200, await made.text());
    };
    await make("in-bucket");
    await client.upload("in-bucket/in.jsonl");
    const refused = await client.createRaw("in-bucket/in.jsonl");
    assert.equal(refused.headers.get("x-amzn-errortype"), "ValidationException");
    assert.match(await refused.text(), /s3:\/\/out\/ does not exist at openai/);
    await make("out");
    const arn = await client.create("in-bucket/in.jsonl");
    const job = await ended(client, arn);
    agrees(await read(client, `out/${arn.split("/").at(-1)}/manifest.json.out`), job);
  }, { configuration: '{ "implicitBuckets": false }' }));

Deno.test("a job that was stopped shows what it got to, and its manifest agrees", () =>
  withGateway(async (client) => {
    const lines = Array.from(
      { length: 30 },
      (_, n) => openaiLines.split("\n")[0]?.replace(/"custom_id":"[^"]*"/, `"custom_id":"r${n}"`),
    ).join("\n");
    await client.upload("my-bucket/in.jsonl", lines);
    const arn = await client.create("my-bucket/in.jsonl");
    await until("it runs", async () => {
      const job = await client.get(arn);
      return job.status === "InProgress" && Number(job["processedRecordCount"] ?? 0) > 0;
    });
    assert.equal(await client.stop(arn), "");
    const job = await ended(client, arn);
    assert.equal(job.status, "Stopped");
    const folder = `out/${arn.split("/").at(-1)}`;
    const text = await read(client, `${folder}/in.jsonl.out`);
    const records = `${text}`.trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(records.length, 30);
    const done = records.filter(({ response }) => response?.status_code === 200);
    assert.ok(done.length > 0 && done.length < 30, `${done.length}`);
    assert.deepEqual(counts.map((name) => job[name]), [30, done.length, done.length, 0]);
    agrees(await read(client, `${folder}/manifest.json.out`), job);
  }, { sandbox: { batchSeconds: 3 } }));

Deno.test("a job that failed shows only its manifest", () =>
  withGateway(async (client) => {
    await client.upload("my-bucket/in.jsonl", `${openaiLines}\n{broken\n`);
    const arn = await client.create("my-bucket/in.jsonl", {
      tags: [{ key: "endpoint", value: "/v1/responses" }],
    });
    const job = await ended(client, arn);
    assert.equal(job.status, "Failed");
    const folder = `out/${arn.split("/").at(-1)}`;
    agrees(await read(client, `${folder}/manifest.json.out`), job);
    assert.equal(await read(client, `${folder}/in.jsonl.out`), 404);
  }));

Deno.test("results are named after the s3Uri where a tag names the file", () =>
  withGateway(async (client) => {
    const value = await client.upload("my-bucket/other.jsonl");
    const arn = await client.create("any/label.jsonl", { tags: [{ key: "file_id", value }] });
    await ended(client, arn);
    const text = await read(client, `out/${arn.split("/").at(-1)}/label.jsonl.out`);
    assert.equal(`${text}`.trim().split("\n").length, 3);
  }));

for (const end of ["killed", "told to end"] as const) {
  Deno.test(`a gateway that is ${end} while it reads results leaves them to the next`, async () => {
    await using folder = await temporaryFolder();
    const sandbox = await startSandbox({ batchSeconds: 0.5 });
    const environment = {
      ...sandboxEnvironment(sandbox),
      BATCHWAY_DATA: `${folder.path}/data`,
      BATCHWAY_POLL_SECONDS: "0",
      BATCHWAY_CONFIG: `${folder.path}/batchway.jsonc`,
      TEST_PATIENCE: JSON.stringify({ leaseMilliseconds: 1_000 }),
    };
    const keep = { folder: `${folder.path}/kept` };
    await Deno.writeTextFile(environment.BATCHWAY_CONFIG, JSON.stringify({ results: { keep } }));
    const started: GatewayProcess[] = [];
    try {
      // One of the two runs with the permissions of the start task; of the other a lease is left.
      const args = end === "killed" ? impatientGateway : ["task", "start"];
      const first = await spawnGateway(environment, args);
      started.push(first);
      const client = createClient(first.url);
      await client.upload("my-bucket/in.jsonl");
      const arn = await client.create("my-bucket/in.jsonl");
      const folderOf = `out/${arn.split("/").at(-1)}`;
      const content = { provider: "openai", path: "/files/.*/content" } as const;
      await fault(sandbox, { ...content, latencySeconds: 60, times: 1 });
      const before = await asked(sandbox, "GET", /content$/);
      const asking = (async () => {
        while (await asked(sandbox, "GET", /content$/) === before) {
          // The gateway goes away over one of these.
          await client.get(arn).catch(() => {});
        }
      })();
      await asking;
      if (end === "killed") await first.kill();
      else assert.equal(await first.stop(), 0);
      const second = await spawnGateway(environment, args);
      started.push(second);
      const later = createClient(second.url);
      const job = await ended(later, arn);
      assert.equal(job.status, "Completed");
      const text = await read(later, `${folderOf}/in.jsonl.out`);
      assert.equal(`${text}`.trim().split("\n").length, 3);
      agrees(await read(later, `${folderOf}/manifest.json.out`), job);
    } finally {
      for (const one of started) await (end === "killed" ? one.kill() : one.stop());
      await sandbox.close();
    }
  });
}
