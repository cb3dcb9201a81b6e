import assert from "node:assert/strict";
import { startTestGateway } from "../gateway.ts";
import { newObject, quiet } from "../objects/world.ts";
import { converse, createClient } from "./sharded/client.ts";
import { createJobWorld, createRequest, type JobWorld } from "./world.ts";
import { openCatalog } from "../catalog/memory.ts";

const request = createRequest({
  inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://bucket/key" } },
});

/** Creates a job on an object; `meanwhile` runs each time that it was found and is not held yet. */
async function createWhile(meanwhile: (world: JobWorld, times: number) => Promise<void>) {
  const catalogOf = await openCatalog();
  const { catalog } = catalogOf;
  let times = 0;
  const journal: typeof catalog.journal = {
    ...catalog.journal,
    async begin(...args) {
      await meanwhile(world, ++times);
      return await catalog.journal.begin(...args);
    },
  };
  const world = await createJobWorld({ catalogOf, catalog: { ...catalog, journal } });
  await world.objects.put(world.reach, newObject("key", '{"first":1}\n'), quiet());
  const created = world.jobs.create(world.reach, "us-west-2", request, quiet());
  return { world, job: await created.catch((error: Error) => error.message) };
}

const put = async (world: JobWorld, text: string) =>
  await world.objects.put(world.reach, newObject("key", text), quiet());

Deno.test("a create whose input is replaced before it is held runs the new object", async () => {
  let file = "";
  const { world, job } = await createWhile(async (world, times) => {
    if (times === 1) file = (await put(world, '{"second":2}\n')).file;
  });
  using _ = world;
  assert.ok(typeof job !== "string", String(job));
  assert.equal(job.plan.kind === "direct" && job.plan.input, file);
  assert.equal(world.cloud.batches.size, 1);
});

Deno.test("a create whose input is replaced again and again runs the one that is there then", async () => {
  const files: string[] = [];
  const { world, job } = await createWhile(async (world, times) => {
    if (times <= 3) files.push((await put(world, `{"next":${times}}\n`)).file);
  });
  using _ = world;
  assert.ok(typeof job !== "string", String(job));
  assert.equal(job.plan.kind === "direct" && job.plan.input, files.at(-1));
  assert.equal(world.cloud.batches.size, 1);
});

Deno.test("a create whose input is deleted before it is held is refused, and leaves nothing", async () => {
  const { world, job } = await createWhile((world) =>
    world.objects.remove(world.reach, { bucket: "bucket", key: "key" }, quiet()).then(() => {})
  );
  using _ = world;
  assert.match(String(job), /The job's input was not found at cloud: the input s3Uri is/);
  assert.equal(world.cloud.batches.size, 0);
});

const models = {
  openai: "gpt-4o-mini",
  anthropic: "claude-3-5-haiku-20241022",
} as const;

for (const [provider, model] of Object.entries(models)) {
  Deno.test(`${provider}: jobs on one key, each created behind a put of its own, run one whole object each`, async () => {
    const gateway = await startTestGateway({ sandbox: { batchSeconds: 0.2 } });
    try {
      const client = createClient(gateway.url);
      const texts = ["one", "two", "three", "four"];
      // Each client puts its own object under the one key, and creates a job on whatever is there.
      const jobs = await Promise.all(texts.map(async (text) => {
        const lines = [1, 2, 3].map((n) => converse(`${text}-${n}`, text)).join("\n");
        await client.put(provider, "bucket/in.jsonl", lines);
        return await client.create(provider, model, "s3://bucket/in.jsonl");
      }));
      const { url } = gateway;
      const headers = { "x-model-provider": provider };
      const gone = await fetch(`${url}/bedrock/files/bucket/in.jsonl`, {
        method: "DELETE",
        headers,
      });
      assert.equal(gone.status, 204);
      for (const id of jobs) {
        assert.match(id, /^[a-z0-9]{12}$/);
        const job = await client.ended(provider, id);
        assert.equal(job.status, "Completed", JSON.stringify([job, gateway.logged]));
        const ids = (await client.read(provider, `results/out/${id}/in.jsonl.out`)).trimEnd()
          .split("\n").map((line) => String(JSON.parse(line).recordId));
        const [text] = ids[0]?.split("-") ?? [];
        assert.deepEqual(ids, [1, 2, 3].map((n) => `${text}-${n}`));
      }
    } finally {
      await gateway.stop();
    }
  });
}
