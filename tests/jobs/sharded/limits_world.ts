/** A simulated provider whose batches are small. */
import assert from "node:assert/strict";
import { createFolderStore } from "../../../blobs/folder.ts";
import type { BlobStore } from "../../../blobs/store.ts";
import { trustedClock } from "../../../runtime/clock.ts";
import type { JobEntry } from "../../../catalog/entries.ts";
import { isTerminal } from "../../../codecs/job_status.ts";
import type { BatchId } from "../../../codecs/ids.ts";
import type { Account, Batch, BatchLimits } from "../../../providers/provider.ts";
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
    modelId?: string,
    more?: Parameters<typeof createRequest>[0],
  ): Promise<JobEntry>;
  ended(job: JobEntry): Promise<JobEntry>;
  /** Lets time pass by the clock that ends doubts. */
  pass(milliseconds: number): void;
  /** Names of the blobs that a job has in the store. */
  blobs(job: JobEntry): Promise<string[]>;
  readonly store: BlobStore;
  /** The lines of a job's results. */
  results(job: JobEntry): Promise<Record<string, never>[]>;
  /** The text of an object of a job's results, by what follows the output's prefix. */
  text(key: string): Promise<string>;
}

/** An account whose batches, by their order, answer some records with 429, and do not count them. */
function breaking(
  account: Account,
  breaks: (batch: number, record: string) => boolean,
): Account {
  const made: BatchId[] = [];
  const { batches } = account;
  const uncounted = ({ counts: _, ...batch }: Batch): Batch => ({ ...batch, counts: undefined });
  const error = { message: "Rate limit reached", type: "requests", code: "rate_limit_exceeded" };
  return {
    ...account,
    batches: {
      ...batches,
      async create(batch, signal) {
        const created = await batches.create(batch, signal);
        made.push(created.id);
        return uncounted(created);
      },
      get: async (id, signal) => uncounted(await batches.get(id, signal)),
      async openResults(id, part, range, signal) {
        const opened = await batches.openResults(id, part, range, signal);
        const lines = (await new Response(opened.body).text()).trimEnd().split("\n");
        const text = lines.map((line) => {
          const { custom_id, ...rest } = JSON.parse(line);
          if (!breaks(made.indexOf(id), custom_id)) return line;
          const response = { status_code: 429, request_id: "req_1", body: { error } };
          return JSON.stringify({ ...rest, custom_id, response });
        });
        return { ...opened, body: new Blob([text.join("\n")]).stream() };
      },
    },
  };
}

/**
 * Runs a test on a simulated provider whose batches have these limits.
 *
 * @param breaks Whether a batch, by its number from 0 on, answers a record of this id with 429.
 */
export async function withLimits(
  limits: BatchLimits,
  work: (world: ShardedWorld) => Promise<void>,
  breaks?: (batch: number, record: string) => boolean,
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
  const broken = breaks ? found.accounts.map((one) => breaking(one, breaks)) : found.accounts;
  const provider = { ...found, accounts: broken, target: { ...found.target, limits } };
  const providers = new Map([["openai", { name: "openai", stores: provider }]]);
  const store = createFolderStore({ folder: folder.path, due: Date.now });
  let passed = 0;
  const clock = trustedClock(() => Date.now() + passed);
  const world = await createJobWorld({ providers, store, clock });
  const reach: Reach = { ...world.reach, provider };
  const scope = { tenant: reach.tenant, provider: "openai" };
  const text = async (key: string) => {
    const object = await world.catalog.objects.get(scope, "out", key);
    assert.ok(object, key);
    const { held } = object;
    const body = held.in === "store"
      ? await store.open(held.blob, { first: 0 }, quiet())
      : await world.objects.read(reach, { record: object }, undefined, quiet());
    return await new Response(body).text();
  };
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
      async create(
        lines,
        tags = { "batchway:dialect": "bedrock-converse" },
        modelId = "gpt-4o-mini",
        more = {},
      ) {
        await world.objects.put(reach, newObject("in.jsonl", lines.join("\n")), quiet());
        const request = createRequest({
          modelId,
          inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://bucket/in.jsonl" } },
          tags,
          ...more,
        });
        return await world.jobs.create(reach, "us-west-2", request, quiet());
      },
      ended: ({ id }) =>
        until("the job ends", async () => {
          const job = await world.jobs.get(reach, "us-west-2", id, quiet());
          return isTerminal(job.status) && job;
        }),
      results: async ({ id }) =>
        (await text(`${id}/in.jsonl.out`)).trimEnd().split("\n").map((line) => JSON.parse(line)),
      text,
    });
  } finally {
    await world.jobs.close();
    world[Symbol.dispose]();
    await uploader.close();
    await sandbox.close();
  }
}
