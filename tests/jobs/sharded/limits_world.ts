/** A simulated provider whose batches are small. */
import assert from "node:assert/strict";
import { createFolderStore } from "../../../blobs/folder.ts";
import type { BlobStore } from "../../../blobs/store.ts";
import { trustedClock } from "../../../runtime/clock.ts";
import type { JobEntry } from "../../../catalog/entries.ts";
import { isTerminal } from "../../../codecs/job_status.ts";
import type { BatchLimits } from "../../../providers/provider.ts";
import { createProviders } from "../../../providers/registry.ts";
import { createUploader } from "../../../providers/upload.ts";
import type { Reach } from "../../../reach/reach.ts";
import { sandboxKeys } from "../../../sandbox/context.ts";
import { type Sandbox, startSandbox } from "../../../sandbox/server.ts";
import { temporaryFolder } from "../../catalog/memory.ts";
import { newObject, quiet } from "../../objects/world.ts";
import { until } from "../wire.ts";
import { createJobWorld, createRequest, type JobWorld } from "../world.ts";

/** A job world whose provider has small limits. */
export interface ShardedWorld {
  readonly sandbox: Sandbox;
  readonly world: JobWorld;
  readonly reach: Reach;
  /** Creates a job of these records. */
  create(
    lines: readonly string[],
    tags?: Readonly<Record<string, string>>,
  ): Promise<JobEntry>;
  ended(job: JobEntry): Promise<JobEntry>;
  /** Lets time pass by the clock that ends doubts. */
  pass(milliseconds: number): void;
  /** Names of the blobs that a job has in the store. */
  blobs(job: JobEntry): Promise<string[]>;
  readonly store: BlobStore;
  /** The lines of a job's results. */
  results(job: JobEntry): Promise<Record<string, never>[]>;
}

/** Runs a test on a simulated provider whose batches have these limits. */
export async function withLimits(
  limits: BatchLimits,
  work: (world: ShardedWorld) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  const sandbox = await startSandbox({ batchSeconds: 0.2 });
  const uploader = createUploader();
  const accounts = [{ name: "main", apiKey: sandboxKeys.openai, weight: 1 }];
  const found = createProviders(
    [{ name: "openai", kind: "openai", baseUrl: sandbox.openaiUrl, accounts }],
    {
      fetch,
      now: () => new Date(),
      random: (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
      sleep: () => Promise.resolve(),
      uploader,
    },
  ).get("openai")?.stores;
  assert.ok(found?.target);
  const provider = { ...found, target: { ...found.target, limits } };
  const providers = new Map([["openai", { name: "openai", stores: provider }]]);
  const store = createFolderStore({ folder: folder.path, due: Date.now });
  let passed = 0;
  const clock = trustedClock(() => Date.now() + passed);
  const world = await createJobWorld({ providers, store, clock });
  const reach: Reach = { ...world.reach, provider };
  const scope = { tenant: reach.tenant, provider: "openai" };
  try {
    await work({
      sandbox,
      world,
      reach,
      store,
      pass: (milliseconds) => void (passed += milliseconds),
      async blobs({ id }) {
        const all = await Array.fromAsync(store.list("", quiet()));
        return all.map(({ name }) => name).filter((name) => name.includes(id));
      },
      async create(lines, tags = { "batchway:dialect": "bedrock-converse" }) {
        await world.objects.put(reach, newObject("in.jsonl", lines.join("\n")), quiet());
        const request = createRequest({
          modelId: "gpt-4o-mini",
          inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://bucket/in.jsonl" } },
          tags,
        });
        return await world.jobs.create(reach, "us-west-2", request, quiet());
      },
      ended: ({ id }) =>
        until("the job ends", async () => {
          const job = await world.jobs.get(reach, "us-west-2", id, quiet());
          return isTerminal(job.status) && job;
        }),
      async results({ id }) {
        const object = await world.catalog.objects.get(scope, "out", `${id}/in.jsonl.out`);
        assert.ok(object?.held.in === "store");
        const body = await store.open(object.held.blob, { first: 0 }, quiet());
        return (await new Response(body).text()).trimEnd().split("\n")
          .map((line) => JSON.parse(line));
      },
    });
  } finally {
    await world.jobs.close();
    world[Symbol.dispose]();
    await uploader.close();
    await sandbox.close();
  }
}
